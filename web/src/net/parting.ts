// Calls that outlive the page. What the worker was told last may never leave it:
// it ends with the last page. The browser itself carries these to their end.
import { ownToken } from './session';

type Json = string | number | boolean | { [name: string]: Json };

/** What all such calls together may hold is 64 KiB; what is more is refused, and lost. */
export function callParting(verb: 'Send' | 'SetDraft' | 'DeleteMessage', request: Json): void {
  const token = ownToken();
  if (token === '') return;
  fetch(`/kith.v1.KithService/${verb}`, {
    method: 'POST',
    keepalive: true,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
  }).catch(() => undefined);
}
