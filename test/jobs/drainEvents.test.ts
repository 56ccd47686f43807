import { expect } from 'chai';
import { attempts, type Consumer, type DrainTools, drainEvents, waitAfter } from '../../jobs/drainEvents.js';
import { type Eventful, eventIndex, type PendingEvent, pending } from '../../server/events.js';
import { instanceIndexes } from '../../server/instances/queries.js';
import type { FailedEvent } from '../../server/instances/schema.js';
import type { Doc, Store } from '../../server/store/store.js';
import { openTestStore } from '../support/storeSupport.js';

type Carrier = Doc & Eventful;

describe('draining events', () => {
  let store: Store;
  let time: number;
  let received: string[];
  let logged: string[];

  beforeEach(async () => {
    time = Date.parse('2026-05-21T10:00:00Z');
    received = [];
    logged = [];
    store = await openTestStore();
    await store.ensureIndexes({ collectives: [eventIndex], posts: [eventIndex], ...instanceIndexes });
  });

  function tools(consumers?: Consumer[]): DrainTools {
    const note: Consumer = { name: 'note', receive: async (event) => received.push(event.eventId) };
    return {
      store,
      now: () => new Date(time),
      log: { debug() {}, info() {}, warn() {}, error: (_details, message) => void logged.push(message) },
      collections: ['collectives', 'posts'],
      consumers: consumers ?? [note],
    };
  }

  const event = () => pending({ type: 'post.published', postId: 'p' }, new Date(time));

  async function write(collection: string, _id: string, ...events: PendingEvent[]): Promise<void> {
    await store
      .collection<Carrier>(collection)
      .updateOne({ _id }, { $push: { events: { $each: events } } }, { upsert: true });
  }

  const unsent = async (collection: string, _id: string) =>
    ((await store.collection<Carrier>(collection).findOne({ _id }))?.events ?? []).map(({ eventId }) => eventId);
  const failures = () => store.collection<FailedEvent>('failedEvents').find().toArray();

  it('hands events of all collections on in the order in which they happened, and takes them out', async () => {
    const [a, b, c, d] = [event(), event(), event(), event()];
    await write('posts', 'p1', b, d);
    await write('collectives', 'c1', a);
    await write('collectives', 'c2', c);
    expect(await drainEvents(tools())).to.deep.equal({ handedOn: 4, refused: 0, parked: 0 });
    expect(received).to.deep.equal([a, b, c, d].map(({ eventId }) => eventId));
    expect(await unsent('posts', 'p1')).to.deep.equal([]);
    expect(await drainEvents(tools())).to.deep.equal({ handedOn: 0, refused: 0, parked: 0 });
  });

  it('leaves an event that is written while it drains for the next round of the same run', async () => {
    const [first, second] = [event(), event()];
    await write('posts', 'p1', first);
    const receive = async ({ eventId }: PendingEvent) => {
      received.push(eventId);
      if (eventId === first.eventId) await write('posts', 'p1', second);
    };
    await drainEvents(tools([{ name: 'note', receive }]));
    expect(received).to.deep.equal([first.eventId, second.eventId]);
    expect(await unsent('posts', 'p1')).to.deep.equal([]);
  });

  it('hands an event over again after a crash between the hand-over and the taking out', async () => {
    const one = event();
    await write('posts', 'p1', one);
    const crash = { ...tools(), store: crashingAt(store, '$pull') };
    await drainEvents(crash).then(
      () => expect.fail('it should have crashed'),
      (error: Error) => expect(error.message).to.equal('crash'),
    );
    await drainEvents(tools());
    expect(received).to.deep.equal([one.eventId, one.eventId]);
  });

  it('lets a refused event wait longer each time, without holding up other documents', async () => {
    const [bad, later, other] = [event(), event(), event()];
    await write('posts', 'p1', bad, later);
    await write('posts', 'p2', other);
    const receive = async ({ eventId }: PendingEvent) => {
      if (eventId === bad.eventId) throw new Error('no such post');
      received.push(eventId);
    };
    const failing = tools([{ name: 'outbox', receive }]);
    expect(await drainEvents(failing)).to.deep.equal({ handedOn: 1, refused: 1, parked: 0 });
    expect(received).to.deep.equal([other.eventId]);
    expect(await drainEvents(failing)).to.deep.equal({ handedOn: 0, refused: 0, parked: 0 });
    time += waitAfter(1);
    expect(await drainEvents(failing)).to.deep.equal({ handedOn: 0, refused: 1, parked: 0 });
    expect(await failures()).to.have.length(1);
    expect((await failures())[0]).to.deep.include({ attempts: 2, lastError: 'outbox: no such post', parkedAt: null });
    time += waitAfter(1);
    expect(await drainEvents(failing)).to.deep.equal({ handedOn: 0, refused: 0, parked: 0 });
    time += waitAfter(2);
    expect(await drainEvents(tools())).to.deep.equal({ handedOn: 2, refused: 0, parked: 0 });
    expect(received.slice(1)).to.deep.equal([bad.eventId, later.eventId]);
    expect(await failures()).to.deep.equal([]);
  });

  it('parks an event after the last try, keeps it whole, and lets the later ones of its document pass', async () => {
    const [bad, later] = [event(), event()];
    await write('posts', 'p1', bad, later);
    const receive = async ({ eventId }: PendingEvent) => {
      if (eventId === bad.eventId) throw new Error('never');
      received.push(eventId);
    };
    const failing = tools([{ name: 'outbox', receive }]);
    for (let tries = 1; tries <= attempts; tries += 1) {
      await drainEvents(failing);
      time += waitAfter(tries);
    }
    const [parked] = await failures();
    expect(parked?.parkedAt).to.be.instanceOf(Date);
    expect(parked?.event).to.deep.equal(bad);
    expect(received).to.deep.equal([later.eventId]);
    expect(await unsent('posts', 'p1')).to.deep.equal([]);
    expect(logged.at(-1)).to.equal('event parked');
  });

  it('drains more documents than one batch holds', async () => {
    for (let i = 0; i < 450; i += 1) await write('posts', `p${i}`, event());
    expect(await drainEvents(tools())).to.deep.equal({ handedOn: 450, refused: 0, parked: 0 });
    expect(new Set(received).size).to.equal(450);
  });
});

/** The same store, whose updates with the operator given fail as if the process had ended. */
function crashingAt(store: Store, operator: string): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name !== 'collection') return Reflect.get(target, name).bind(target);
      return (collection: string) =>
        new Proxy(target.collection(collection), {
          get(inner, method) {
            const original = Reflect.get(inner, method);
            if (method !== 'updateOne') return typeof original === 'function' ? original.bind(inner) : original;
            return async (filter: object, update: object) => {
              if (operator in update) throw new Error('crash');
              return original.call(inner, filter, update);
            };
          },
        });
    },
  });
}
