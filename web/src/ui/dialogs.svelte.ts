// Which dialog is open. Their code is loaded when they are first opened.
import type { Block, Incident, Message } from '../gen/kith/v1/kith_pb';

export type Open =
  | { kind: 'new-group' }
  | { kind: 'add-members'; chatId: string }
  | { kind: 'remove-member'; chatId: string; personId: string }
  | { kind: 'rename'; chatId: string }
  | { kind: 'leave'; chatId: string }
  | { kind: 'delete-chat'; chatId: string }
  | { kind: 'delete-message' | 'react' | 'versions'; message: Message }
  | { kind: 'new-poll' | 'lifetime' | 'carry'; chatId: string }
  | { kind: 'delivery'; chatId: string; messageId: string }
  | { kind: 'record'; block: Block; others?: readonly Block[]; decider?: Block } // others: what contradicts it; decider: by which it lost
  | { kind: 'proof'; incident: Incident }
  | { kind: 'voters'; chatId: string }
  | { kind: 'newcomers'; chatId: string }
  | { kind: 'numbers'; personId: string }
  | { kind: 'block-person'; personId: string }
  | { kind: 'revoke-device'; deviceId: string; name: string }
  | { kind: 'palette' };

class Dialogs {
  open = $state.raw<Open>();

  show(open: Open): void {
    this.open = open;
  }

  close(): void {
    this.open = undefined;
  }
}

export const dialogs = new Dialogs();
