// The worker that holds the hub: shared by all pages of this browser, or, in
// a browser without shared workers, one for each page.
import { Hub } from './hub';
import { Refusal, type FromHub, type Request, type ToHub, type Verb } from './protocol';

const hub = new Hub(location.origin);
const scope = self as unknown as { onconnect?: (event: MessageEvent) => void };

scope.onconnect = (event) => {
  const port = event.ports[0];
  if (port !== undefined) serve(port);
};
if (!('SharedWorkerGlobalScope' in self)) serve(self as unknown as MessagePort);

function serve(port: MessagePort): void {
  const send = (said: FromHub) => port.postMessage(said);
  const leave = hub.listen(send);

  port.onmessage = ({ data }: MessageEvent<ToHub>) => {
    switch (data.kind) {
      case 'token':
        return hub.setToken(data.token);
      case 'nudge':
        return hub.nudge();
      case 'bye':
        return void leave();
      case 'call':
        return void answer(data.id, data.verb, data.request as Request<Verb>, send);
    }
  };
}

async function answer(id: number, verb: Verb, request: Request<Verb>, send: (said: FromHub) => void): Promise<void> {
  try {
    send({ kind: 'answer', id, value: await hub.call(verb, request) });
  } catch (err) {
    const refusal = err as Refusal;
    send({ kind: 'refusal', id, code: refusal.code, message: refusal.message });
  }
}
