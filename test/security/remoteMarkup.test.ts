// Hostile text in every field that another server fills: what a page shows of it holds no element and no address beyond those
// that texts from elsewhere may have (AP-120), and no trick of direction (AP-123).
import { expect } from 'chai';
import { fromActor } from '../../federation/wire/remoteActor.js';
import { fromPost } from '../../federation/wire/remotePost.js';
import { createCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import { receiveBoost, receivePost } from '../../server/partners/actions/feed.js';
import { keepRemoteActor } from '../../server/partners/actions.js';
import { feedEntriesIn, followingsIn, followsIn, remotePostsIn } from '../../server/partners/queries.js';
import { actorIri, followKey } from '../../server/partners/rules.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';

const publicIri = 'https://www.w3.org/ns/activitystreams#Public';
const allowed = /^(p|span|br|a|del|pre|code|em|strong|b|i|u|ul|ol|li|blockquote|bdi)$/;

/** Filter evasion as it is collected by OWASP, and ways around sanitisers that were once found. */
const payloads = [
  '"\'`><script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)> autofocus onfocus=alert(1) x="',
  ']]></title></textarea></script></style></option></select></a></p></div>--><!--><![CDATA[<xmp><noscript><p title="</noscript><img src onerror=alert(1)>"></xmp>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
  '<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img onerror=alert(1) src>">',
  '<a href="javascript:alert(1)">x</a><a href="jav&#x09;ascript:alert(1)">x</a><a href="data:text/html,<script>alert(1)</script>">x</a><a href="vbscript:x">x</a><a href="//evil.example/x">x</a><a href="/canary">x</a>',
  '<p style="position:fixed;inset:0;background:url(javascript:alert(1))" class="flash" id="main" onclick=alert(1)>x</p>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe><object data=x></object><embed src=x><base href=//evil.example><meta http-equiv=refresh content="0;url=//evil.example"><link rel=stylesheet href=//evil.example>',
  '<form action=/sign-out method=post><button formaction=javascript:alert(1)>x</button><input name=_csrf></form>',
  '&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62; {{{body}}} {{page.csrf}} $& \\u003cscript\\u003e',
  '<IMG """><SCRIPT>alert(1)</SCRIPT>"\\><a title="</a><script>alert(1)</script>">x',
  '\u202eabc\u2066def\u200bghi\ufeffa\u0301\u0301\u0301\u0301\u0301\u0301\u0301',
];

describe('hostile text from other servers', function () {
  this.timeout(60_000);
  let app: WholeApp;
  let member: Client;
  let hoster: Collective;
  const host = 'https://evil.example';

  before(async () => {
    app = await startWholeApp();
    const person = await buildPerson(app.house);
    hoster = await createCollective(contextFor(app.house, systemActor), {
      handle: 'ecluse',
      name: { fr: 'L’Écluse', en: 'The Lock' },
      legalForm: 'ASSOCIATION',
      published: true,
    });
    const members = [{ personId: person._id, role: 'representative', since: new Date() }];
    await app.house.store.collection('collectives').updateOne({ _id: hoster._id }, { $set: { members } });
    member = app.client();
    await signIn(member, person);
  });

  /** Everything that a document can say, each time the same text; then each page on which any of it stands. */
  async function pagesWith(text: string, type: string): Promise<string[]> {
    const { store } = app.house;
    const ctx = contextFor(app.house, systemActor);
    const us = actorIri(app.house.site, hoster.handle);
    for (const coll of [followsIn(store), followingsIn(store), remotePostsIn(store), feedEntriesIn(store)])
      await (coll as ReturnType<typeof followsIn>).deleteMany({});
    const document = {
      id: `${host}/u`,
      type: 'Person',
      ...{
        preferredUsername: text,
        name: text,
        summary: text,
        inbox: `${host}/inbox`,
        url: [text, `javascript:${text}`],
      },
      attachment: [{ type: 'PropertyValue', name: text, value: text }],
      icon: { type: 'Image', url: `javascript:${text}` },
    };
    const actor = fromActor(document, [], ctx.now);
    if (actor === null) throw new Error('no actor');
    await keepRemoteActor(ctx, actor);
    const pair = { ownerKind: 'collective' as const, ownerId: hoster._id, followIri: `${host}/f`, decidedAt: null };
    for (const state of ['requested', 'accepted'] as const) {
      const follower = state === 'accepted' ? actor._id : `${host}/second?${encodeURIComponent(text)}`;
      await followsIn(store).insertOne({
        _id: followKey(follower, us),
        ...{ ...pair, follower, followed: us, state, deliverTo: actor.inbox, requestedAt: ctx.now },
      });
    }
    await followingsIn(store).insertOne({
      _id: followKey(us, actor._id),
      ...{ ...pair, follower: us, followed: actor._id, state: 'accepted' as const, lists: [], muted: false },
      requestedAt: ctx.now,
    });
    const json = {
      ...{ id: `${host}/n`, type, attributedTo: actor._id, to: [publicIri], published: '2026-05-21T09:00:00Z' },
      ...{ name: text, summary: text, content: text, contentMap: { [text]: text }, url: `javascript:${text}` },
      ...{
        sensitive: true,
        mediaType: 'text/html',
        startTime: '2026-06-01T09:00:00Z',
        endTime: '2026-06-02T09:00:00Z',
      },
      location: { type: 'Place', name: text, address: { streetAddress: text, addressLocality: text } },
      attachment: [{ type: 'Image', mediaType: `image/${text}`, name: text, url: `${host}/a.png` }],
      oneOf: [{ type: 'Note', name: text, replies: { totalItems: 1 } }],
      tag: [{ type: 'Mention', name: text, href: `javascript:${text}` }],
    };
    const post = fromPost(json, [], ctx.now);
    if (post === null) throw new Error('no post');
    await receivePost(ctx, post, actor._id);
    const passedOn = fromPost(
      { ...json, id: `${host}/m`, attributedTo: `${host}/somebody`, mediaType: 'text/plain' },
      [],
      ctx.now,
    );
    if (passedOn !== null) await receiveBoost(ctx, passedOn, actor._id, ctx.now);
    const base = `/my/collectives/${hoster._id}`;
    const paths = ['/partners', '/partners/following', `/partners/posts/${post._id}`, '/followers'];
    return Promise.all(
      paths.map(async (path) => {
        const answer = await member.get(base + path);
        expect(answer.status, path).to.equal(200);
        return answer.text;
      }),
    );
  }

  /** Elements with their attributes, as often as they stand there. */
  function elementsOf(page: string): string[] {
    const body = page.replace(/<!--[\s\S]*?-->/g, '<comment>');
    return [...body.matchAll(/<([a-zA-Z!][^\s/>]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/g)].map(([, tag = '', rest = '']) => {
      const names = [...rest.matchAll(/([^\s=/"'>]+)(?:=(?:"[^"]*"|'[^']*'|[^\s>]+))?/g)].map(([, name]) => name);
      return `${tag.toLowerCase()} ${names.sort().join(' ')}`;
    });
  }

  for (const type of ['Note', 'Event', 'Question']) {
    it(`stays text, or the little that texts may hold, in a ${type}`, async () => {
      const harmless = new Set((await pagesWith('zqtext', type)).flatMap(elementsOf));
      for (const payload of payloads) {
        for (const page of await pagesWith(payload, type)) {
          const foreign = elementsOf(page).filter((one) => {
            const [tag = '', ...names] = one.split(' ');
            const isPlain = allowed.test(tag) && names.every((name) => ['', 'href', 'rel', 'class'].includes(name));
            return !harmless.has(one) && !isPlain;
          });
          expect(foreign, payload).to.deep.equal([]);
          expect(page, payload).not.to.match(/<[^>]*(?:href|src|action)=["']?\s*(?:javascript|data|vbscript):/i);
          // Only what the page itself says, in its own addresses, may lead into our pages.
          expect(page.match(/<[^>]*href="\/canary"/g) ?? [], payload).to.deep.equal([]);
          expect(page, 'a trick of direction').not.to.match(
            /[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{M}{4}/u,
          );
        }
      }
    });
  }
});
