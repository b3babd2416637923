// A real kith process, and its interface spoken as JSON.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const program = process.env.KITH_BIN ?? join(root, 'bin', 'kith');
const service = '/kith.v1.KithService/';
const patience = 20_000; // ms for a process to say where its page is

export class KithNode {
  constructor(name) {
    this.name = name;
    this.home = mkdtempSync(join(tmpdir(), `kith-e2e-${name}-`));
    this.web = '127.0.0.1:0';
    this.listen = '127.0.0.1:0';
  }

  /** start runs the program and gives the login address that it printed. */
  async start() {
    if (!existsSync(program)) throw new Error(`${program} is missing: build it first, or name it in KITH_BIN`);
    this.process = spawn(program, ['run', '--home', this.home, '--web', this.web, '--listen', this.listen], { stdio: ['ignore', 'pipe', 'pipe'] });
    const login = await addressFrom(this.process);
    this.address = new URL(login).origin;
    this.web = `127.0.0.1:${new URL(login).port}`; // the same port when it is started again
    return login;
  }

  /** open asks the running program for another login address. */
  async open() {
    const asked = spawn(program, ['--home', this.home, 'open'], { stdio: ['ignore', 'pipe', 'pipe'] });
    return addressFrom(asked);
  }

  /** verb types a command on the home, which has to end well. */
  verb(...words) {
    const done = spawnSync(program, ['--home', this.home, ...words], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`kith ${words.join(' ')}: ${done.stderr}`);
    return done.stdout;
  }

  async kill(signal = 'SIGKILL') {
    if (this.process === undefined || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill(signal);
    await gone;
    this.token = undefined;
  }

  /** freeze stops the program where it is, and thaw lets it go on: to others it is a line that says nothing. */
  freeze() {
    this.process.kill('SIGSTOP');
  }

  thaw() {
    this.process.kill('SIGCONT');
  }

  async remove() {
    await this.kill();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** call speaks the interface, for what a flow needs but does not test. */
  async call(verb, request = {}) {
    if (this.token === undefined) {
      const code = new URL(await this.open()).hash.replace(/^#(?:\/?(?:code|login)[=/])?/, '');
      this.token = (await this.#post('Login', { code })).token;
    }
    return this.#post(verb, request);
  }

  async #post(verb, request) {
    const headers = { 'Content-Type': 'application/json', Origin: this.address };
    if (this.token !== undefined) headers.Authorization = `Bearer ${this.token}`;
    const response = await fetch(this.address + service + verb, { method: 'POST', headers, body: JSON.stringify(request) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${this.name}: ${verb}: ${answer.code}: ${answer.message}`);
    return answer;
  }
}

/** until asks again and again until the answer is true. */
export async function until(what, ask, limit = 15_000) {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

/** befriend makes two nodes friends by link, over their interfaces. */
export async function befriend(a, b) {
  const { link } = await a.call('NewContactLink');
  await b.call('AddFriend', { link });
  const asking = await until(`${b.name} asks ${a.name}`, async () => ((await a.call('ListFriends')).friends ?? []).find((f) => f.state === 'FRIEND_STATE_ASKING' && f.person.name === b.name));
  await a.call('AcceptFriend', { person: asking.person.id });
  const friendOf = (n, name) => async () => ((await n.call('ListFriends')).friends ?? []).find((f) => f.state === 'FRIEND_STATE_FRIEND' && f.person.name === name && f.chatId);
  await until(`${b.name} is a friend of ${a.name}`, friendOf(b, a.name));
  return until(`${a.name} has a chat with ${b.name}`, friendOf(a, b.name));
}

export async function accept(node, title) {
  const chat = await until(`${node.name} is invited to ${title}`, async () => ((await node.call('ListChats')).chats ?? []).find((c) => c.state === 'CHAT_STATE_INVITED' && c.title === title));
  await node.call('AcceptGroup', { group: chat.id });
  return chat.id;
}

/** together starts two nodes, makes them friends, and gives the group that both are in. */
export async function together(a, b, title) {
  for (const node of [a, b]) {
    node.login = await node.start();
    await node.call('Setup', { name: node.name });
  }
  const { person } = await befriend(a, b);
  const group = (await a.call('CreateGroup', { title, persons: [person.id] })).id;
  await accept(b, title);
  await until('both are in', async () => ((await a.call('GetChat', { chat: group })).members ?? []).filter((m) => m.accepted).length === 2);
  return group;
}

function addressFrom(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`kith printed no address:\n${said}`)), patience);
    const hear = (bytes) => {
      said += bytes;
      const found = /https?:\/\/(?:localhost|127\.0\.0\.1):\d+\/\S*#\S+/.exec(said);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[0]);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('close', (code) => {
      clearTimeout(timer);
      reject(new Error(`kith ended with ${code}:\n${said}`));
    });
    child.on('error', reject);
  });
}
