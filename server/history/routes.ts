// The page on which a hoster's members see who changed what, when.
import { listServicesOf } from '../catalogue/queries.js';
import { nameIn, presentEditFrame } from '../collectives/present.js';
import { enterCollective } from '../collectives/queries.js';
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { listPeopleById } from '../people/queries.js';
import { textIn } from '../shapes.js';
import { listDeletedSurveysOf, listSurveysOf } from '../surveys/queries.js';
import { pickText } from '../surveys/rules.js';
import { presentChange } from './present.js';
import { listChanges, type StoredChange } from './queries.js';
import { historyParams, historyQuery } from './schema.js';

const perPage = 25;

export function historyRoutes(house: House): Routes {
  const spec = { access: 'signedIn', params: historyParams, query: historyQuery } as const;
  return new Routes(house).get('/my/collectives/:id/history', spec, async (visit) => {
    const { language, t, query } = visit;
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const { _id } = collective;
    const [found, services, binned, surveys, deleted] = await Promise.all([
      listChanges(house.store, {
        collectiveId: _id,
        limit: perPage + 1,
        ...(query.of ? { subjectId: query.of } : {}),
        ...(query.before ? { before: query.before } : {}),
      }),
      listServicesOf(house.store, _id, { which: 'own' }),
      listServicesOf(house.store, _id, { which: 'bin' }),
      listSurveysOf(house.store, _id),
      listDeletedSurveysOf(house.store, _id),
    ]);
    const shown = found.slice(0, perPage);
    const people = await listPeopleById(house.store, peopleIn(shown));
    const names = new Map([
      [_id, nameIn(collective, language)] as const,
      ...[...services, ...binned].map((one) => [one._id, textIn(one.profile.name, language)] as const),
      ...[...surveys, ...deleted].map((one) => [one._id, pickText(one.title, language, one.languages).text] as const),
    ]);
    const words = {
      i18n: house.i18n,
      language,
      t,
      names: new Map(people.map((person) => [person._id, person.displayName])),
      subjects: names,
    };
    const frame = presentEditFrame(visit.ctx.actor, collective, 'history', language);
    const last = shown.at(-1);
    const older = new URLSearchParams({ ...(query.of ? { of: query.of } : {}), before: last?._id ?? '' });
    const model = {
      frame,
      items: shown.map((change) => presentChange(change, words)),
      subjectOptions: [...names].map(([value, label]) => ({ value, label })),
      of: query.of,
      newerHref: query.before ? `${frame.base}/history${query.of ? `?of=${query.of}` : ''}` : null,
      olderHref: found.length > perPage ? `${frame.base}/history?${older}` : null,
    };
    await visit.page('history/page', model, { title: nameIn(collective, language), nav: 'mine' });
  });
}

/** Everybody whose name a line may need: who did it, and whose role it tells of. */
function peopleIn(changes: readonly StoredChange[]): string[] {
  return changes.flatMap((change) => [
    change.by,
    ...change.fields.flatMap(({ path }) => (path.startsWith('members.') ? [path.slice('members.'.length)] : [])),
  ]);
}
