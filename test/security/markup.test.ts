// Hostile text in every field that holds text: pages, feeds, mails and exports keep exactly the elements and attributes
// that they have for harmless text.
import { expect } from 'chai';
import { createService, emptyProfile } from '../../server/catalogue/actions/services.js';
import { updateProfile } from '../../server/collectives/actions.js';
import { pending } from '../../server/events.js';
import { newId } from '../../server/ids.js';
import { defaultSettings, writeSettings } from '../../server/instances/settings.js';
import { noticeEvent } from '../../server/notices/actions/noticeEvent.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Doc } from '../../server/store/store.js';
import { contextFor, systemActor } from '../support/appSupport.js';
import { takeSnapshot } from '../support/oracles.js';
import { addressesOf, crawl, type Seen } from './crawl.js';
import { canaries, type Role, startTwinHouse, type TwinHouse } from './tenants.js';

/** Stands where people write; the canary of alpha is such a text too. */
const word = 'zqtext';
const readers = ['visitor', 'representativeA', 'administrator'] as const satisfies Role[];

const payloads: Record<string, string> = {
  'ends attributes and begins elements': `"'\`><script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)> autofocus onfocus=alert(1) x="`,
  'ends whatever element it is in':
    ']]></title></textarea></script></style></option></select></button></a></p></div>--><!--><![CDATA[<xmp><noscript><p title="</noscript><img src onerror=alert(1)>"></xmp><math><mtext><style><img src=x onerror=alert(1)></style>',
  'looks like a template, a message, an entity':
    '{{{body}}} {{#each this}} {0, plural, other {#}} {hoster} %s $& $1 &lt;script&gt; &#60;img&#62; \\u003cscript\\u003e %3Cscript%3E <\u2028script> ＜script＞',
};

interface Element {
  tag: string;
  attributes: Map<string, string>;
}

/** The tags of a document as a browser's tokenizer finds them (HTML §13.2.5), without the insides of scripts. */
function elementsOf(text: string): Element[] {
  const found: Element[] = [];
  const opening = /<(\/?)([a-zA-Z][^\s/>]*)|<!--|<[!?]/g;
  for (let match = opening.exec(text); match; match = opening.exec(text)) {
    const [whole, closing, tag] = match;
    if (tag === undefined) {
      const end = whole === '<!--' ? text.indexOf('-->', opening.lastIndex) : text.indexOf('>', opening.lastIndex);
      found.push({ tag: whole, attributes: new Map() });
      opening.lastIndex = end < 0 ? text.length : end + 1;
      continue;
    }
    const attributes = new Map<string, string>();
    const attribute = /\s*\/?\s*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?|\s*\/?\s*>/y;
    attribute.lastIndex = opening.lastIndex;
    for (let part = attribute.exec(text); part?.[1] !== undefined; part = attribute.exec(text)) {
      attributes.set(part[1].toLowerCase(), part[2] ?? part[3] ?? part[4] ?? '');
      opening.lastIndex = attribute.lastIndex;
    }
    if (closing === '') found.push({ tag: tag.toLowerCase(), attributes });
    else found.push({ tag: `/${tag.toLowerCase()}`, attributes: new Map() });
    if (tag.toLowerCase() === 'script' && closing === '') {
      const end = text.indexOf('</script', opening.lastIndex);
      opening.lastIndex = end < 0 ? text.length : end;
    }
  }
  return found;
}

const signature = ({ tag, attributes }: Element) => `${tag} ${[...attributes.keys()].sort().join(' ')}`;
const skeleton = (text: string) => elementsOf(text).map(signature);
const withoutProse = (text: string) =>
  text
    .replace(/(<div class="prose"[^>]*>)[\s\S]*?<\/div>/g, '$1</div>')
    .replace(/(<content type="html">)[\s\S]*?(<\/content>)/g, '$1$2');

describe('hostile text', function () {
  this.timeout(300_000);
  let app: TwinHouse;
  const harmless = new Map<Role, Seen[]>();
  const own = new Set<string>();

  before(async () => {
    app = await startTwinHouse();
    await furnish();
    for (const role of readers) {
      const seen = await crawl(app, app.clients[role], addressesFor(role), readingOf(role));
      harmless.set(role, seen);
      for (const { text } of seen.filter(isMarkup)) for (const one of skeleton(text)) own.add(one);
    }
  });

  /** The representative reads their own pages only: the rest is as the administrator sees it. */
  const readingOf = (role: Role) => ({ pagesOnly: true, staysThere: role === 'representativeA' });
  const addressesFor = (role: Role) =>
    addressesOf(app).filter((path) => role !== 'representativeA' || /^\/me|^\/my\/collectives$/.test(path));

  const isMarkup = ({ headers }: Pick<Seen, 'headers'>) => /html|xml/.test(headers.get('content-type') ?? '');

  /** Every text of a hoster, its service, its post, its people, the instance, its jobs and its news. */
  async function furnish(): Promise<void> {
    const { house, alpha } = app;
    const ctx = contextFor(house, systemActor);
    const both = { fr: `${word} fr`, en: `${word} en` };
    const { collective } = alpha;
    await updateProfile(ctx, collective._id, {
      version: collective.version,
      profile: {
        ...collective.profile,
        name: both,
        tagline: both,
        description: { fr: `${word}\n\n${word}`, en: word },
        status: 'IDLE',
        statusDescription: both,
        contactEmail: `${word}@example.org`,
        website: 'https://example.org/',
        owner: { name: word, website: 'https://example.org/', logo: null },
        place: { address: word, countryCode: 'FR', countryName: word, latitude: 1, longitude: 2 },
        memberOf: [{ key: 'roseau', startDate: null, endDate: null, status: null, statusDescription: word }],
        socialNetworks: [{ key: word, url: 'https://example.org/' }],
        chatRooms: [{ key: word, url: 'xmpp:room@example.org' }],
        guarantees: { backupPolicy: both, othersWithAccess: both, noticeDays: 30 },
      },
    });
    const blank = emptyProfile(both);
    const texts = { description: both, statusDescription: both, priceNote: both, limits: both };
    const software = { ...blank.software, name: word, licenseName: word, version: word, modules: [word] };
    const host = {
      ...blank.host,
      name: word,
      description: word,
      distribution: word,
      hypervisor: word,
      countryName: word,
    };
    await createService(ctx, collective._id, {
      slug: 'textes',
      published: true,
      profile: {
        ...blank,
        ...texts,
        status: 'ALERT',
        contactEmail: `${word}@example.org`,
        software,
        host,
        needs: ['mail'],
      },
      imported: {
        origin: `https://${word}.example/service.properties`,
        metrics: [{ path: 'http.visits', year: 2026, step: 'months', values: [1, 2, 3] }],
        metricsLabels: [{ path: 'http.visits', name: word, description: word }],
        unknownProperties: [{ key: 'service.x', value: word }],
        unknownMetrics: [{ key: 'metrics.x', value: word }],
      },
    });
    await publishPost(ctx, collective._id, { fr: `${word} *${word}*`, en: `[${word}](https://example.org/) ${word}` });
    await writeSettings(house.store, {
      ...defaultSettings,
      name: word,
      tagline: both,
      description: both,
      words: { hoster: both, hosters: both, round: both, rounds: both },
    });
    const person = { displayName: word, bio: both, publicProfile: true, handle: 'rep_alpha' };
    await house.store.collection('people').updateOne({ _id: alpha.representative._id }, { $set: person });
    await house.store
      .collection<Doc & { kind: string }>('handles')
      .insertOne({ _id: 'rep_alpha', kind: 'person', ownerId: alpha.representative._id, retiredAt: null } as never);
    await app.drain();
    await house.store.collection('jobRuns').insertOne({
      _id: 'prune',
      slot: house.now(),
      fence: 1,
      startedAt: house.now(),
      finishedAt: house.now(),
      durationMs: 5,
      result: null,
      error: word,
      failuresInRow: 2,
      wanted: false,
    } as never);
    const errors = { lastError: `Error: ${word}` };
    await house.store.collection('failedEvents').updateMany({}, { $set: errors });
    await house.store.collection('deliveries').updateMany({}, { $set: errors });
    await house.store.collection('mails').updateMany({}, { $set: errors });
    await house.store.collection('sessions').updateMany({}, { $set: { device: word } });
  }

  /** Puts the text into every document in place of the words, wherever they stand; addresses stay as they are. */
  async function spread(payload: string): Promise<void> {
    const changed = (value: unknown, key: string): unknown => {
      if (typeof value === 'string') {
        if (/^https?:/.test(value) || ['data', '_id', 'sortName', 'terms'].includes(key)) return value;
        return value.replaceAll(word, payload).replaceAll(canaries.alpha, payload);
      }
      if (value instanceof Uint8Array) {
        return Buffer.from(Buffer.from(value).toString('utf8').replaceAll(canaries.alpha, payload));
      }
      if (Array.isArray(value)) return value.map((item) => changed(item, key));
      if (typeof value !== 'object' || value === null || value instanceof Date) return value;
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, changed(item, name)]));
    };
    const { store } = app.house;
    for (const name of await store.listCollections()) {
      if (['uploads', 'limits', 'activities', 'actorKeys'].includes(name)) continue;
      const coll = store.collection(name);
      for (const doc of await coll.find({}).toArray()) {
        const { _id, ...fields } = changed(doc, '') as Doc;
        if (JSON.stringify(fields) !== JSON.stringify({ ...doc, _id: undefined }))
          await coll.replaceOne({ _id }, fields);
      }
    }
  }

  it('would be noticed', () => {
    for (const payload of Object.values(payloads).slice(0, 2)) {
      for (const page of [(text: string) => `<p title="${text}">x</p>`, (text: string) => `<title>${text}</title>`]) {
        expect(skeleton(page(payload))).not.to.deep.equal(skeleton(page(word)));
      }
    }
    expect(foreignParts('<a href="javascript:x"><b onclick>')).to.deep.equal(['foreign b onclick', 'acting a href']);
  });

  for (const [what, payload] of Object.entries(payloads)) {
    it(`that ${what} stays text on every page and in every feed`, async () => {
      const snapshot = await takeSnapshot(app.house.store, ['limits']);
      await spread(payload);
      const wrong: string[] = [];
      let shown = 0;
      for (const role of readers) {
        const before = new Map((harmless.get(role) ?? []).map((one) => [`${one.path} ${one.accept}`, one]));
        for (const one of await crawl(
          app,
          app.clients[role],
          [...new Set((harmless.get(role) ?? []).map(({ path }) => path))],
          readingOf(role),
        )) {
          const where = `${one.path} (${one.accept}) as ${role}`;
          if (one.status >= 500) wrong.push(`${where}: ${one.status}`);
          if (!isMarkup(one)) continue;
          if (/alert\(1\)|each this/.test(one.text)) shown += 1;
          wrong.push(...foreignParts(one.text).map((part) => `${where}: ${part}`));
          const twin = before.get(`${one.path} ${one.accept}`);
          // Hostile files are warned of in other words; a search finds other things.
          if (!twin || twin.status !== one.status || /chatonsinfos|\?q=/.test(one.path)) continue;
          // Lists are in another order: the same parts, however many there are of each.
          const [a, b] = [twin, one].map(({ text }) => skeleton(withoutProse(text)).sort()) as [string[], string[]];
          const at = b.findIndex((part, index) => part !== a[index]);
          if (at >= 0 || a.length !== b.length) wrong.push(`${where}: ${a[at]} became ${b[at]}`);
        }
      }
      await snapshot.restore();
      expect(wrong.slice(0, 20)).to.deep.equal([]);
      expect(shown, 'the text is on many pages').to.be.greaterThan(30);
    });
  }

  /** Elements that no page had for harmless text, addresses that act, and data that is no data. */
  function foreignParts(text: string): string[] {
    const elements = elementsOf(text);
    const prose = /^\/?(p|span|br|a|del|pre|code|em|strong|b|i|u|ul|ol|li|blockquote) ?(class |href |rel ?|class$)*$/;
    const foreign = elements.filter((one) => !own.has(signature(one)) && !prose.test(signature(one)));
    const acting = elements.filter(({ attributes }) =>
      ['href', 'src', 'action', 'formaction', 'content'].some((name) =>
        /^\W*(javascript|vbscript|data):/i.test(attributes.get(name) ?? ''),
      ),
    );
    const data = [...text.matchAll(/<script type="application\/ld\+json">([\s\S]*?)<\/script>/g)].filter(
      ([, json = '']) => !isJson(json),
    );
    return [
      ...foreign.map((one) => `foreign ${signature(one)}`),
      ...acting.map((one) => `acting ${signature(one)}`),
      ...data.map(() => 'broken data'),
    ];
  }

  function isJson(text: string): boolean {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  }

  it('in addresses that act is never an address to follow', async () => {
    const snapshot = await takeSnapshot(app.house.store, ['limits']);
    const { store } = app.house;
    const bad = 'javascript:alert(1)//zqtext';
    const isAddress = (key: string) => /^(url|website|logo|.*Url|origin)$/.test(key);
    const changed = (value: unknown, key: string): unknown => {
      if (Array.isArray(value)) return value.map((item) => changed(item, key));
      if (typeof value === 'object' && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array)) {
        return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, changed(item, name)]));
      }
      return isAddress(key) ? bad : value;
    };
    for (const name of ['collectives', 'services', 'sources', 'imports', 'remoteActors', 'changes']) {
      for (const doc of await store.collection(name).find({}).toArray()) {
        const { _id, ...fields } = changed(doc, '') as Doc;
        await store.collection(name).replaceOne({ _id }, fields);
      }
    }
    const wrong: string[] = [];
    let shown = 0;
    for (const role of readers) {
      for (const one of await crawl(app, app.clients[role], addressesFor(role), readingOf(role))) {
        if (one.status >= 500) wrong.push(`${one.path}: ${one.status}`);
        if (!isMarkup(one)) continue;
        if (one.text.includes('javascript:alert')) shown += 1;
        wrong.push(
          ...foreignParts(one.text)
            .filter((part) => part.startsWith('acting'))
            .map((part) => `${one.path} as ${role}: ${part}`),
        );
      }
    }
    await snapshot.restore();
    expect([...new Set(wrong)].slice(0, 20)).to.deep.equal([]);
    expect(shown).to.be.greaterThan(3);
  });

  it('stays text in the mails that tell of it', async () => {
    const { house, alpha } = app;
    const letters = async () => {
      await house.store.collection('mails').deleteMany({});
      for (const type of ['person.invited'] as const) {
        await noticeEvent({ house }, pending({ type, invitationId: alpha.invitationId }, house.now()));
      }
      return house.store.collection<Doc & { html: string; subject: string }>('mails').find({}).toArray();
    };
    const [plain] = await letters();
    expect(plain?.html).to.include(word);
    for (const payload of Object.values(payloads)) {
      const snapshot = await takeSnapshot(house.store, ['limits', 'mails']);
      await spread(`${payload}\r\nBcc: everybody@example.org`);
      const [mail] = await letters();
      await snapshot.restore();
      expect(skeleton(mail?.html ?? '')).to.deep.equal(skeleton(plain?.html ?? ''));
      expect(mail?.subject).not.to.match(/[\r\n]/);
    }
  });

  it('begins no formula in the exported table', async () => {
    const ctx = contextFor(app.house, systemActor);
    for (const text of ['=HYPERLINK("https://evil.example")', '+1', '-1', '@SUM(A1)', '\t=1', '＝1', ' =1']) {
      await createService(ctx, app.alpha.collective._id, {
        slug: newId().slice(-12),
        published: true,
        profile: { ...emptyProfile({ fr: text, en: text }), software: { ...emptyProfile().software, name: text } },
      });
    }
    const response = await fetch(`${app.url}/catalogue.csv`);
    const csv = (await response.text()).replace(/^\ufeff/, '');
    const cells = [...csv.matchAll(/("(?:[^"]|"")*"|[^,;\r\n]*)(?:[,;]|\r?\n|$)/g)].map(([, cell = '']) =>
      cell.replace(/^"|"$/g, ''),
    );
    expect(cells.filter((cell) => cell.includes('HYPERLINK')).length).to.be.greaterThan(0);
    expect(cells.filter((cell) => /^\s*[=+\-@＝＋－＠\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell))).to.deep.equal(
      [],
    );
    expect(response.headers.get('content-disposition')).to.match(/^attachment/);
  });
});
