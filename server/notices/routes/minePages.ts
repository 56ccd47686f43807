// What needs the person who is signed in, how it reaches them elsewhere, and the doors that need no sign-in: the private feeds
// and the address in a mail that stops such mails. Opening one changes nothing; only a POST does.
import { listCollectivesOf } from '../../collectives/queries.js';
import { DomainError } from '../../errors.js';
import { toAtom } from '../../formats/atom.js';
import { writeCalendar } from '../../formats/ical.js';
import { contextOf } from '../../house.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { readSettings, wordsIn } from '../../instances/settings.js';
import { presentTabs } from '../../people/present.js';
import { findPerson, getPerson } from '../../people/queries.js';
import { mayEnter } from '../../people/rules.js';
import { readLink } from '../../secrets.js';
import { confirmAddress, makeFeed, revokeFeed, stopMails } from '../actions/choosing.js';
import { feedAddresses, readStop } from '../links.js';
import { listNeeds } from '../needs.js';
import { presentAtom, presentCalendar, presentNeeds } from '../presentNeeds.js';
import { feedsIn, findFeedOf } from '../queries.js';
import { isReachable } from '../rules.js';
import { noticeTokenParams, stopShape } from '../schema.js';

type TokenVisit = Visit<{ token: string }, unknown, unknown>;

export function minePages(routes: Routes): void {
  const { house } = routes;

  routes.get('/my', { access: 'signedIn' }, async (visit) => {
    const person = await getPerson(visit.ctx.store, personOf(visit.ctx).personId);
    const needs = await listNeeds(visit.ctx, person, visit.language);
    const collectives = await listCollectivesOf(visit.ctx.store, person._id);
    const model = {
      ...presentNeeds(needs),
      collectives: collectives
        .filter(({ deletedAt }) => deletedAt === null)
        .map(({ _id, profile }) => ({ href: `/my/collectives/${_id}`, name: profile.name })),
    };
    const title = visit.t('notices.needs.title');
    await visit.page('notices/needs', model, {
      title: needs.length > 0 ? `(${needs.length}) ${title}` : title,
      nav: 'mine',
    });
  });

  routes.get('/me/notices', { access: 'signedIn' }, async (visit) => {
    const person = await getPerson(visit.ctx.store, personOf(visit.ctx).personId);
    const feed = await findFeedOf(visit.ctx.store, person._id);
    visit.res.set('Referrer-Policy', 'no-referrer');
    const model = {
      tabs: presentTabs(visit.req.path),
      problem: isReachable(person) ? null : (person.addressProblem ?? null),
      feed: feed && { ...feedAddresses(house, feed._id), createdAt: feed.createdAt },
    };
    await visit.page('notices/mine', model, { title: visit.t('notices.mine.title'), nav: 'mine' });
  });

  routes
    .post('/me/notices/feed', { access: 'signedIn' }, async (visit) => {
      await makeFeed(visit.ctx, personOf(visit.ctx).personId);
      visit.redirect('/me/notices', { key: 'notices.feed.made' });
    })
    .post('/me/notices/feed/revoke', { access: 'signedIn' }, async (visit) => {
      await revokeFeed(visit.ctx, personOf(visit.ctx).personId);
      visit.redirect('/me/notices', { key: 'notices.feed.revoked' });
    })
    .post('/me/notices/address', { access: 'signedIn' }, async (visit) => {
      await confirmAddress(visit.ctx, personOf(visit.ctx).personId);
      visit.redirect('/me/notices', { key: 'notices.address.done' });
    });

  feedPages(routes);
  stopPages(routes);
}

function feedPages(routes: Routes): void {
  const { house } = routes;
  routes.get('/feeds/:token', { access: 'public', params: noticeTokenParams, cache: 'none' }, async (visit) => {
    const [, token = '', format] = /^(.+)\.(atom|ics)$/.exec(visit.params.token) ?? [];
    const id = readLink(house.secret, 'feed', token);
    const feed = id === null ? null : await feedsIn(house.store).findOne({ _id: id });
    const person = feed && (await findPerson(house.store, feed.personId));
    if (!feed || !person || !mayEnter(person)) throw new DomainError('gone', 'notices.feed.gone');
    const language = person.language ?? house.site.defaultLanguage;
    const t = house.i18n.translator(language, wordsIn(await readSettings(house.store), language));
    // A reader of feeds is nobody: what it sees is what this person would.
    const ctx = contextOf(house, null);
    const parts = { house, t, language, feed, needs: await listNeeds(ctx, person, language) };
    visit.res.set('X-Robots-Tag', 'noindex').set('Referrer-Policy', 'no-referrer');
    if (format === 'ics') visit.res.type('text/calendar').send(writeCalendar(presentCalendar(parts)));
    else visit.res.type('application/atom+xml').send(toAtom(presentAtom(parts)));
  });
}

function stopPages(routes: Routes): void {
  const path = '/unsubscribe/:token';
  const show = (visit: TokenVisit, state: 'ask' | 'stopped' | 'again') => {
    const stop = stopOf(visit);
    visit.res.set('Referrer-Policy', 'no-referrer');
    const model = {
      action: visit.req.path,
      kind: stop.kind,
      state,
      isAsking: state === 'ask',
      isStopped: state === 'stopped',
    };
    return visit.page('notices/stop', model, { title: visit.t('notices.stop.title'), noIndex: true });
  };
  routes
    .get(path, { access: 'public', params: noticeTokenParams, cache: 'none' }, (visit) => show(visit, 'ask'))
    .post(
      path,
      { access: 'public', params: noticeTokenParams, body: stopShape, cache: 'none', proof: 'link' },
      async (visit) => {
        const again = visit.body.again === 'on';
        await stopMails(visit.ctx, { ...stopOf(visit), again });
        await show(visit, again ? 'again' : 'stopped');
      },
    );
}

/** Refuses: gone. */
function stopOf(visit: TokenVisit): { personId: string; kind: string } {
  const stop = readStop(visit.house, visit.params.token);
  if (stop === null) throw new DomainError('gone', 'notices.stop.spent');
  return stop;
}
