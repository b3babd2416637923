// What somebody looks for, in one chat or everywhere, and what was found so far.
import { Refusal, type Answer } from '../net/protocol';
import type { Chat, Found, Person } from '../gen/kith/v1/kith_pb';
import { sentence } from '../lib/task.svelte';
import { kith } from './kith.svelte';
import { dayStart } from './pieces';

/** How long typing rests before the node is asked, in milliseconds. */
const typingPause = 120;
/** How many messages one answer brings, and at most how many calls it may take. */
const pageSize = 30;
const maxCalls = 10;
/** While the node still indexes, it is asked again after this, in milliseconds. */
const indexingPause = 3000;

export class Search {
  text = $state('');
  person = $state(''); // id of who wrote it; empty: anybody
  kind = $state(''); // number of a kind of content, as a select writes it; empty: any
  since = $state(''); // days as a date field writes them; empty: any
  until = $state('');
  found = $state.raw<readonly Found[]>([]);
  chats = $state.raw<readonly Chat[]>([]);
  people = $state.raw<readonly Person[]>([]);
  percent = $state(100); // of what is stored, that can be found by now
  next = $state(''); // where older ones begin; empty: there are none
  answered = $state(false); // what is asked now has been answered
  busy = $state(false);
  error = $state('');

  #turn = 0; // of the newest question
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly chatId: string) {}

  /** Whether anything is asked for at all. */
  get asked(): boolean {
    return this.text.trim() !== '' || this.narrowed;
  }

  get narrowed(): boolean {
    return this.person !== '' || this.kind !== '' || this.since !== '' || this.until !== '';
  }

  clear(): void {
    this.text = this.kind = this.person = this.since = this.until = '';
  }

  /** ask looks for what is asked by now, once typing rests. */
  ask(pause = typingPause): void {
    clearTimeout(this.#soon);
    const turn = ++this.#turn;
    if (!this.asked) {
      [this.found, this.chats, this.people, this.next, this.error, this.busy, this.answered] = [[], [], [], '', '', false, false];
      return;
    }
    this.busy = true;
    this.#soon = setTimeout(() => void this.#begin(turn), pause);
  }

  /** older brings what was found before the last that is shown. */
  async older(): Promise<void> {
    if (this.busy || this.next === '') return;
    this.busy = true;
    await this.#fetch(this.#turn, this.next);
  }

  async #begin(turn: number): Promise<void> {
    await this.#fetch(turn, '');
    if (turn === this.#turn && this.percent < 100) this.#soon = setTimeout(() => void this.#begin(turn), indexingPause);
  }

  async #fetch(turn: number, before: string): Promise<void> {
    let got: Found[] = [];
    try {
      for (let calls = 0; calls < maxCalls; calls++) {
        const answer: Answer<'search'> = await kith.call('search', {
          text: this.text, chat: this.chatId, person: this.person, kinds: this.kind === '' ? [] : [Number(this.kind)], since: dayStart(this.since, 0), until: dayStart(this.until, 1), before, limit: pageSize,
        });
        if (turn !== this.#turn) return;
        if (before === '') [this.found, this.chats, this.people] = [[], answer.chats, answer.people];
        got = answer.found;
        this.found = [...this.found, ...got];
        [this.percent, this.next, this.error] = [answer.percent, answer.next, ''];
        before = answer.next;
        if (before === '' || this.found.length >= pageSize) break; // a node answers in parts what takes it long
      }
    } catch (err) {
      if (turn !== this.#turn) return;
      this.error = sentence(err);
      if (!(err instanceof Refusal && err.away)) [this.found, this.chats, this.people, this.next] = [[], [], [], ''];
    }
    this.busy = false;
    this.answered = true;
  }
}

/** What is looked for everywhere; stays while somebody reads what was found. */
export const everywhere = new Search('');

const inChats = new Map<string, Search>();

export function searchIn(chatId: string): Search {
  let search = inChats.get(chatId);
  if (search === undefined) {
    search = new Search(chatId);
    inChats.set(chatId, search);
  }
  return search;
}

/** Counts the jumps, so that the same place can be gone to twice. */
export const jumps = $state({ count: 0 });
