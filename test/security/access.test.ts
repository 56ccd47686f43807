// Who may enter where, for every route of every slice, in every role, about one's own, another's and nobody's things.

import { expect } from 'chai';
import type { RouteRecord } from '../../server/http/routes.js';
import { writeCount } from '../../server/store/guarded.js';
import type { Answer } from '../support/appSupport.js';
import { forgetLimits } from '../support/appSupport.js';
import { takeSnapshot } from '../support/oracles.js';
import { access, type Rule, wire } from './access.js';
import {
  addressOf,
  copyOf,
  mountedIn,
  nameOf,
  postAs,
  routesOf,
  type Target,
  targetsOf,
  withoutIds,
} from './requests.js';
import { type Role, roles, startTwinHouse, type TwinHouse } from './tenants.js';

/** in: the door opened, whatever came of it. hidden: as if it did not exist. */
type Outcome = 'in' | 'hidden' | 'refused' | 'sign-in';

function outcomeOf(answer: Answer): Outcome | string {
  if (answer.status === 303 && answer.location?.startsWith('/sign-in?')) return 'sign-in';
  if (answer.status === 404) return 'hidden';
  if (answer.status === 403) return 'refused';
  return answer.status < 500 ? 'in' : `error ${answer.status}`;
}

const homes: Partial<Record<Role, string>> = { memberA: 'alpha', representativeA: 'alpha', memberB: 'beta' };

function isStranger(role: Role): boolean {
  return role === 'visitor' || role === 'disabled';
}

function expected(route: RouteRecord, { who }: Rule, role: Role, target: Target): Outcome {
  if (who === 'everyone') return 'in';
  if (who === 'guests' || who === 'nobody') return 'hidden';
  if (who === 'readers') return target.name === 'missing' ? 'hidden' : 'in';
  if (isStranger(role)) return route.method === 'get' ? 'sign-in' : 'refused';
  if (who === 'signedIn') return 'in';
  if (who === 'owners') return 'hidden';
  const isAdministrator = role === 'administrator';
  if (who === 'administrators') return isAdministrator ? 'in' : route.path.startsWith('/admin') ? 'hidden' : 'refused';
  if (who === 'moderators') return isAdministrator || role === 'moderator' ? 'in' : 'hidden';
  if (target.name === 'missing') return 'hidden';
  if (isAdministrator) return who === 'ownPeople' ? 'refused' : 'in';
  if (homes[role] !== target.name) return 'hidden';
  return who === 'representatives' && role !== 'representativeA' ? 'refused' : 'in';
}

describe('who may enter', function () {
  this.timeout(300_000);
  let app: TwinHouse;
  let tokens: Record<Role, string | null>;

  before(async () => {
    app = await startTwinHouse();
    const found = roles.map(async (role) => {
      const path = role === 'visitor' || role === 'disabled' ? '/sign-in' : '/me';
      return [role, await app.clients[role].csrf(path)] as const;
    });
    tokens = Object.fromEntries(await Promise.all(found)) as typeof tokens;
  });

  it('is written down for every route there is, and for nothing else', () => {
    expect(Object.keys(access).sort()).to.deep.equal([...new Set(routesOf(app).map(nameOf))].sort());
  });

  it('is asked by every door there is: nothing is mounted beside the table and the wire', () => {
    const known = [...Object.keys(access), ...wire].sort();
    expect(mountedIn(app.express).sort()).to.deep.equal([...new Set(known)].sort());
  });

  async function knock(route: RouteRecord, rule: Rule, role: Role, target: Target): Promise<Answer> {
    const things: Target['things'] = { ...target.things, key: app.sessionKeys[role] ?? '0'.repeat(64) };
    const path = addressOf(app, route.path, { ...target, things });
    const client = app.clients[role];
    if (route.method === 'get') return copyOf(app, client).get(path);
    const body: Record<string, string> = { _csrf: tokens[role] ?? '', ...rule.body };
    if (body.address) body.address = things.import_file ?? '';
    return postAs(app, client, path, body, rule.file);
  }

  it('is so for every role, about one’s own, another’s and nobody’s things; refusals write nothing', async () => {
    const snapshot = await takeSnapshot(app.house.store, ['limits']);
    const targets = targetsOf(app);
    const wrong: string[] = [];
    for (const route of routesOf(app)) {
      const rule = access[nameOf(route)];
      if (!rule) continue;
      const about =
        ['members', 'ownPeople', 'representatives', 'readers'].includes(rule.who) && route.path.includes(':')
          ? [targets.alpha, targets.beta, targets.missing]
          : [targets.alpha];
      for (const role of roles) {
        for (const target of isStranger(role) && rule.who !== 'readers' ? [targets.alpha] : about) {
          const before = writeCount();
          const answer = await knock(route, rule, role, target);
          const outcome = outcomeOf(answer);
          const wanted = expected(route, rule, role, target);
          const what = `${nameOf(route)} as ${role} about ${target.name}`;
          if (outcome !== wanted) wrong.push(`${what}: ${outcome} (${answer.status}), not ${wanted}`);
          const isRefusal = answer.status === 403 || answer.status === 404;
          if (isRefusal && role !== 'disabled' && writeCount() !== before) wrong.push(`${what}: refused, and written`);
          if (route.method === 'post' && !isRefusal && writeCount() !== before) await snapshot.restore();
        }
      }
      await forgetLimits(app.house);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('answers the same about what is another’s and what is not there, body and all', async () => {
    const targets = targetsOf(app);
    const wrong: string[] = [];
    for (const route of routesOf(app)) {
      const rule = access[nameOf(route)];
      if (!rule || !['members', 'ownPeople', 'representatives'].includes(rule.who) || !route.path.includes(':'))
        continue;
      for (const role of ['plain', 'memberA', 'representativeA', 'moderator'] as const) {
        const theirs = await knock(route, rule, role, targets.beta);
        const nobodys = await knock(route, rule, role, targets.missing);
        const what = `${nameOf(route)} as ${role}`;
        if (theirs.status !== 404 || nobodys.status !== 404) wrong.push(`${what}: ${theirs.status} ${nobodys.status}`);
        if (withoutIds(theirs.text) !== withoutIds(nobodys.text)) wrong.push(`${what}: the pages differ`);
      }
    }
    expect(wrong).to.deep.equal([]);
  });

  it('answers the same about another’s thing under one’s own address and about none, and leaves it alone', async () => {
    const snapshot = await takeSnapshot(app.house.store, ['limits']);
    const targets = targetsOf(app);
    const wrong: string[] = [];
    for (const route of routesOf(app)) {
      const rule = access[nameOf(route)];
      if (!rule || !/^\/my\/collectives\/:id\/.*:/.test(route.path)) continue;
      for (const role of ['memberA', 'representativeA', 'administrator'] as const) {
        const before = writeCount();
        const theirs = await knock(route, rule, role, targets.foreign);
        const nobodys = await knock(route, rule, role, targets.nothing);
        const what = `${nameOf(route)} as ${role}`;
        if (theirs.status !== nobodys.status || theirs.status < 400) {
          wrong.push(`${what}: ${theirs.status} about another’s, ${nobodys.status} about none`);
        }
        if (withoutIds(theirs.text) !== withoutIds(nobodys.text)) wrong.push(`${what}: the pages differ`);
        if (writeCount() !== before) wrong.push(`${what}: refused, and written`);
        if (route.method === 'post') await snapshot.restore();
      }
    }
    expect(wrong).to.deep.equal([]);
  });

  it('does not count another’s drafts among what everybody or another hoster reads', async () => {
    const { alpha, beta } = app;
    const paths = [
      `/@${beta.draft.handle}`,
      `/@${beta.collective.handle}/services/${beta.draftService.slug}`,
      `/@${beta.collective.handle}/services/${beta.withdrawnService.slug}`,
      `/services/${beta.draftService._id}`,
      `/media/${beta.draftLogoId}`,
      `/.well-known/chatonsinfos/${beta.draft.handle}.properties`,
      `/.well-known/chatonsinfos/${beta.collective.handle}-${beta.draftService.slug}.properties`,
      `/@${beta.draft.handle}/librehost.json`,
      `/@${beta.draft.handle}/posts`,
      `/@${beta.draft.handle}/posts.atom`,
      `/actors/${beta.draft.handle}`,
      `/actors/${beta.draft.handle}/outbox`,
      `/objects/${beta.draftService._id}`,
    ];
    for (const path of paths) {
      for (const role of ['visitor', 'plain', 'memberA', 'representativeA', 'moderator'] as const) {
        for (const accept of ['text/html', 'application/activity+json']) {
          const answer = await copyOf(app, app.clients[role]).get(path, { accept });
          expect(answer.status, `${path} as ${role}, ${accept}`).to.equal(404);
        }
      }
    }
    expect((await copyOf(app, app.clients.memberB).get(`/@${beta.draft.handle}`)).status).to.equal(200);
    expect((await copyOf(app, app.clients.memberA).get(`/media/${alpha.draftLogoId}`)).status).to.equal(200);
  });
});
