// The one store of what the page knows: filled by a few calls, kept true by
// the event stream.
import { SvelteMap } from 'svelte/reactivity';
import { FriendState, MessageState, type Chat, type ContactLink, type Event, type Friend, type Message, type Node, type Reached } from '../gen/kith/v1/kith_pb';
import { Box, onDropped } from '../lib/sealed';
import { openChannel } from '../net/channel';
import { callParting } from '../net/parting';
import { Refusal, type Answer, type Channel, type News, type Request, type Status, type Verb } from '../net/protocol';
import { pause } from '../net/resume';
import { answerOtherTabs, findToken, forgetToken, keepToken, lockTab, takeCode } from '../net/session';
import { Deletions } from './deletions.svelte';
import { Drafts } from './drafts';
import { mentionsAfter } from './mentions.svelte';
import { NetworkView } from './network.svelte';
import { Outbox, requestOf } from './outbox.svelte';
import { beginning, follows, readUpTo } from './reading';
import { Typing } from './typing.svelte';
import { Thread } from './thread.svelte';

/** starting until the first answer; welcome while there is no identity yet. */
/** shut: the home waits for its passphrase. */
export type Phase = 'starting' | 'locked' | 'shut' | 'expired' | 'welcome' | 'ready';

/** How many messages the first page of a conversation has, and each older one. */
const pageSize = 60;
const olderSize = 200;
/** How long what was read is gathered before the node is told, in milliseconds. */
const readPause = 300;
/** The pause before everything is loaded again after a refusal, in milliseconds. */
const loadPause = 2000;

class Kith {
  phase = $state<Phase>('starting');
  status = $state<Status>('starting');
  node = $state.raw<Node>();
  link = $state.raw<ContactLink>(); // made for one person; gone once somebody has used it
  chats = new SvelteMap<string, Chat>();
  friends = new SvelteMap<string, Friend>();
  outbox = new Outbox(
    async (d) => {
      const message = await this.call('send', { ...requestOf(d), draftAt: BigInt(d.time) });
      this.#takeMessage(message);
      return message;
    },
    (d) => callParting('Send', { ...requestOf(d), draftAt: d.time }),
  );
  network = new NetworkView(
    () => this.call('getNetwork', {}),
    () => this.online && document.visibilityState === 'visible',
  );
  typing = new Typing((chat, off) => this.call('typing', { chat, off }));
  drafts = new Drafts(
    (chat, draft, at) => this.call('setDraft', { chat, draft, at: BigInt(at) }),
    (chat, { text, replyTo }, at) => callParting('SetDraft', { chat, draft: { text, replyTo }, at }),
  );
  deletions = new Deletions(
    (m) => this.call('deleteMessage', { chat: m.chatId, message: m.cursor }),
    (m) => callParting('DeleteMessage', { chat: m.chatId, message: m.cursor }),
  );

  #channel: Channel | undefined;
  #threads = new Map<string, Thread>();
  #readSoon = new Map<string, string>(); // chat id: cursor
  #loading = false;
  #held: Event[] = []; // came while everything was loaded: newer than the answers, which may come after them
  #triedOwnToken = false;

  get online(): boolean {
    return this.status === 'online';
  }

  get me(): string {
    return this.node?.me?.id ?? '';
  }

  /** start logs in, by the code in the address or a token that is still good. */
  async start(): Promise<void> {
    this.#channel = openChannel();
    this.#channel.listen((news) => this.#hear(news));
    answerOtherTabs();
    const keep = () => {
      this.outbox.part();
      this.drafts.part();
    };
    addEventListener('pagehide', () => {
      keep();
      this.deletions.part();
    });
    // On a phone nothing more may come after this.
    addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') keep();
      else this.network.changed();
    });
    onDropped((clientId) => this.outbox.forget(clientId));
    // A login link that is opened in this tab changes no more than the fragment.
    addEventListener('hashchange', () => {
      const code = takeCode();
      if (code !== '') void this.#enter(code);
    });
    await this.#enter(takeCode());
  }

  call<V extends Verb>(verb: V, request: Request<V>): Promise<Answer<V>> {
    if (this.#channel === undefined) return Promise.reject(new Error('not started'));
    return this.#channel.call(verb, request);
  }

  nudge(): void {
    this.#channel?.nudge();
  }

  /** unlock opens the home; its passphrase is the login, too. */
  async unlock(passphrase: string): Promise<void> {
    const { token } = await this.call('unlock', { passphrase: new TextEncoder().encode(passphrase) });
    this.#use(token);
  }

  /** lockHome closes the home for every page, and for the program itself. */
  async lockHome(): Promise<void> {
    this.drafts.flush();
    await this.call('lock', {});
    this.#shut();
  }

  /** look whether the home was opened elsewhere while this page waits for its passphrase. */
  async look(): Promise<void> {
    const lock = await this.call('getLock', {}).catch(() => undefined);
    if (lock?.locked === false && this.phase === 'shut') await this.#enter('');
  }

  lock(): void {
    lockTab();
    location.hash = '';
    location.reload();
  }

  async setup(name: string): Promise<void> {
    this.node = await this.call('setup', { name });
    await this.#load();
  }

  thread(chatId: string): Thread {
    let thread = this.#threads.get(chatId);
    if (thread === undefined) {
      thread = new Thread(chatId);
      this.#threads.set(chatId, thread);
    }
    return thread;
  }

  /** open loads the newest messages of a chat, or those about the first that is unread. */
  async open(chatId: string): Promise<void> {
    const thread = this.thread(chatId);
    const chat = this.chats.get(chatId);
    const unread = chat?.unread ?? 0;
    const from = unread === 0 ? '' : chat!.readTo || (unread >= pageSize ? beginning : '');
    thread.unreadAfter = from;
    await thread.pending;
    if (from === '' || unread < pageSize) {
      if (thread.moreAfter) await this.toNewest(thread);
      else if (!thread.loaded) await this.#loadPage(thread, '');
    }
    if (from !== '' && !(thread.loaded && follows(thread, from))) await this.#loadAround(thread, from);
  }

  /** openAt loads what is around a place, if it is not there yet. */
  async openAt(chatId: string, cursor: string): Promise<void> {
    const thread = this.thread(chatId);
    await thread.pending;
    if (!thread.loaded || !thread.has(cursor)) await this.#loadAround(thread, cursor);
  }

  /** toNewest goes back from what was long ago. */
  async toNewest(thread: Thread): Promise<void> {
    await this.#loadOnce(thread, async () => {
      const page = await this.call('listMessages', { chat: thread.chatId, limit: pageSize });
      thread.restart(page.messages, page.more);
    });
  }

  async loadNewer(thread: Thread): Promise<void> {
    await this.#loadOnce(thread, async () => {
      const page = await this.call('listMessages', { chat: thread.chatId, after: thread.messages.at(-1)?.cursor ?? '', limit: olderSize });
      thread.takeNewer(page.messages, page.moreAfter);
    });
  }

  /** loadBlocks asks who came and went in a group; what is known stays if it is refused. */
  async loadBlocks(thread: Thread): Promise<void> {
    thread.blocks = (await this.call('listBlocks', { group: thread.chatId })).blocks;
  }

  async loadPins(thread: Thread): Promise<void> {
    thread.pins = (await this.call('listPins', { chat: thread.chatId })).messages;
  }

  async loadOlder(thread: Thread): Promise<void> {
    if (thread.more) await this.#loadPage(thread, thread.messages[0]?.cursor ?? '');
  }

  /** read marks a chat as read up to a message that is here, and tells the node soon. */
  read(chatId: string, to: string): void {
    const chat = this.chats.get(chatId);
    if (chat === undefined || to <= chat.readTo) return;
    this.chats.set(chatId, readUpTo(chat, this.thread(chatId), to, this.me));
    if (this.#readSoon.size === 0) setTimeout(() => this.#tellRead(), readPause);
    this.#readSoon.set(chatId, to);
  }

  /** revokeCopies takes all other copies of this home out of the person's groups. */
  async revokeCopies(): Promise<void> {
    this.node = await this.call('revokeCopies', {});
  }

  async makeLink(): Promise<void> {
    this.link = await this.call('newContactLink', {});
  }

  takeChat(chat: Chat): void {
    const was = this.chats.get(chat.id)?.newest;
    // Whom the newest message has reached is told apart from the chat.
    if (was !== undefined && chat.newest?.id === was.id && chat.newest.reachOf === 0) {
      chat = { ...chat, newest: { ...chat.newest, reached: was.reached, reachOf: was.reachOf, read: was.read } };
    }
    this.chats.set(chat.id, chat);
  }

  #takeReach({ chatId, messages }: Reached): void {
    this.#threads.get(chatId)?.reach(messages);
    const chat = this.chats.get(chatId);
    const come = messages.find((m) => m.messageId === chat?.newest?.id);
    if (chat?.newest === undefined || come === undefined) return;
    this.chats.set(chatId, { ...chat, newest: { ...chat.newest, reached: come.reached, reachOf: come.reachOf, read: come.read } });
  }

  takeFriend(friend: Friend): void {
    if (friend.person === undefined) return;
    const { id } = friend.person;
    if (!this.friends.has(id) && friend.state !== FriendState.ASKED) this.link = undefined;
    this.friends.set(id, friend);
  }

  dropChat(chatId: string): void {
    this.chats.delete(chatId);
    this.#threads.delete(chatId);
  }

  async #enter(code: string): Promise<void> {
    const token = (code === '' ? '' : await this.#login(code)) || (await findToken());
    if (token !== '') return this.#use(token);
    const lock = await this.call('getLock', {}).catch(() => undefined);
    if (lock?.locked) this.phase = 'shut';
    else this.phase = code === '' ? 'locked' : 'expired';
  }

  #use(token: string): void {
    keepToken(token);
    this.#triedOwnToken = false;
    this.#channel?.setToken(token);
  }

  // What the page has of the home goes with the page.
  #shut(): void {
    const shown = this.phase === 'ready';
    this.phase = 'shut';
    forgetToken();
    if (shown) location.reload();
  }

  async #login(code: string): Promise<string> {
    for (let tries = 0; ; tries++) {
      try {
        return (await this.call('login', { code })).token;
      } catch (err) {
        if (!(err instanceof Refusal) || !err.away) return '';
        this.status = 'offline';
        await new Promise((resolve) => setTimeout(resolve, pause(tries)));
      }
    }
  }

  #hear(news: News): void {
    switch (news.kind) {
      case 'status':
        return this.#hearStatus(news.status);
      case 'reset':
        return void this.#load();
      case 'events':
        if (this.#loading) this.#held.push(...news.events);
        else news.events.forEach((event) => this.#apply(event));
        return;
    }
  }

  #hearStatus(status: Status): void {
    this.status = status;
    if (status === 'online') {
      this.#triedOwnToken = false;
      if (this.phase !== 'ready') void this.#load();
      else {
        void this.outbox.resume();
        this.drafts.flush();
        this.network.changed();
      }
    }
    if (status === 'locked') void this.#useOwnToken();
    if (status === 'shut') this.#shut();
  }

  // Another tab may have brought a token that is no good any more.
  async #useOwnToken(): Promise<void> {
    const token = this.#triedOwnToken ? '' : await findToken();
    this.#triedOwnToken = true;
    if (token !== '') {
      this.#channel?.setToken(token);
      return;
    }
    forgetToken();
    this.phase = 'locked';
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    try {
      this.node = await this.call('getNode', {});
      if (!this.node.ready) {
        this.phase = 'welcome';
        return;
      }
      await Promise.all([this.#loadChats(), this.#loadFriends()]);
      await this.#reloadThreads();
      this.phase = 'ready';
      this.network.changed();
      await this.#openOutbox();
    } catch {
      // Away or locked, the hub tells what comes next; else it is tried again.
      if (this.online) setTimeout(() => void this.#load(), loadPause);
    } finally {
      this.#loading = false;
      for (const event of this.#held.splice(0)) this.#apply(event);
    }
  }

  // Without the key, on a full disk, what waits is kept in memory alone.
  async #openOutbox(): Promise<void> {
    const key = await this.call('getPageKey', {}).catch(() => undefined);
    if (key !== undefined) this.outbox.open(await Box.open(key.key));
    await this.outbox.resume();
  }

  async #loadChats(): Promise<void> {
    const { chats } = await this.call('listChats', {});
    const known = new Set(chats.map((chat) => chat.id));
    for (const id of [...this.chats.keys()]) if (!known.has(id)) this.dropChat(id);
    for (const chat of chats) this.takeChat(chat);
  }

  async #loadFriends(): Promise<void> {
    const { friends } = await this.call('listFriends', {});
    const known = new Set(friends.map((friend) => friend.person?.id));
    for (const id of [...this.friends.keys()]) if (!known.has(id)) this.friends.delete(id);
    for (const friend of friends) this.takeFriend(friend);
  }

  async #reloadThreads(): Promise<void> {
    for (const thread of this.#threads.values()) {
      if (!thread.loaded || thread.moreAfter) continue; // what was long ago stays in view
      const page = await this.call('listMessages', { chat: thread.chatId, limit: pageSize });
      thread.restart(page.messages, page.more);
      await this.loadPins(thread);
    }
  }

  async #loadPage(thread: Thread, before: string): Promise<void> {
    await this.#loadOnce(thread, async () => {
      const page = await this.call('listMessages', { chat: thread.chatId, before, limit: before === '' ? pageSize : olderSize });
      thread.takePage(page.messages, page.more);
    });
  }

  async #loadAround(thread: Thread, cursor: string): Promise<void> {
    await this.#loadOnce(thread, async () => {
      const page = await this.call('listMessages', { chat: thread.chatId, around: cursor, limit: pageSize });
      thread.restart(page.messages, page.more, page.moreAfter);
    });
  }

  async #loadOnce(thread: Thread, load: () => Promise<void>): Promise<void> {
    if (thread.loading) return;
    thread.loading = true;
    const loaded = load().finally(() => thread.endLoad());
    thread.pending = loaded.catch(() => undefined);
    await loaded;
  }

  #tellRead(): void {
    for (const [chat, cursor] of this.#readSoon) this.call('markRead', { chat, cursor }).catch(() => undefined);
    this.#readSoon.clear();
  }

  #apply({ change }: Event): void {
    switch (change.case) {
      case 'message':
        return this.#takeMessage(change.value);
      case 'chat':
        return this.takeChat(change.value);
      case 'chatDeleted':
        return this.dropChat(change.value);
      case 'friend':
        this.network.changed();
        return this.takeFriend(change.value);
      case 'friendRemoved':
        return void this.friends.delete(change.value);
      case 'node':
        if (this.node?.diskFull && !change.value.diskFull) this.outbox.retryAll();
        this.node = change.value;
        this.network.changed();
        if (this.phase === 'welcome' && change.value.ready) void this.#load(); // set up in another tab
        return;
      case 'typed':
        return this.typing.hear(change.value);
      case 'incident':
        return; // the chat that it belongs to comes with it
      case 'reached':
        this.network.changed(); // less waits
        return this.#takeReach(change.value);
    }
  }

  #takeMessage(message: Message): void {
    if (message.state === MessageState.HELD) return; // comes again once it has its place
    const thread = this.#threads.get(message.chatId);
    if (message.author?.id !== this.me && message.cursor <= (this.chats.get(message.chatId)?.readTo ?? '')) thread?.comesLate(message);
    thread?.take(message);
    if (message.author !== undefined) this.typing.hear({ chatId: message.chatId, person: message.author, off: true });
    if (message.clientId !== '') this.outbox.discard(message.clientId);
    let chat = this.chats.get(message.chatId);
    const mentions = chat && mentionsAfter(chat, message);
    if (mentions !== chat?.mentions) this.chats.set(message.chatId, (chat = { ...chat!, mentions: mentions! }));
    if (chat !== undefined && (chat.newest === undefined || chat.newest.cursor < message.cursor || chat.newest.id === message.id)) {
      this.takeChat({ ...chat, newest: message }); // where it stands in the list the chat says, which comes with it
    }
  }
}

export const kith = new Kith();
