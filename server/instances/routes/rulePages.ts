// The pages on which administrators say whom the instance deals with: rules about domains, island mode, lists in files.

import { DomainError } from '../../errors.js';
import { listInstanceChanges } from '../../history/queries.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { listPeopleById } from '../../people/queries.js';
import { importRules, peersSubject, publishRules, removeRule, setIsland, setRule } from '../actions/domainRules.js';
import { presentRule, presentRuleChange, presentRuleImport, presentRules, rulesPath } from '../presentRules.js';
import { findRule, listRules, pageRules, readPeerSettings, readPolicy } from '../queries.js';
import { readRuleFile, writeAllows, writeBlocks } from '../ruleFiles.js';
import { parentDomain } from '../rules.js';
import {
  exportParams,
  islandShape,
  maxRuleFileBytes,
  publishShape,
  ruleChangeShape,
  ruleImportShape,
  ruleKinds,
  ruleParams,
  ruleShape,
  rulesQuery,
} from '../schema.js';

const access = 'administrator';
const nav = 'admin';
const perPage = 50;
const shownChanges = 20;
/** Rules that an exported file holds at most. */
const exported = 50_000;
const crumbs = [
  { href: '/admin', key: 'layout.nav.admin' },
  { href: '/admin/peers', key: 'instances.peers.title' },
];
const below = [...crumbs, { href: rulesPath, key: 'instances.rules.title' }];
const kinds = ruleKinds.map((value) => ({ value, key: `instances.rules.kindLong.${value}` }));
const labels = Object.fromEntries(
  ['domain', 'kind', 'publicReason', 'privateReason'].map((field) => [field, `instances.rules.field.${field}`]),
);

type AnyVisit = Visit<unknown, unknown, unknown>;

export function rulePages(routes: Routes): void {
  listPages(routes);
  filePages(routes);
  oneRulePages(routes);
}

function listPages(routes: Routes): void {
  const { store } = routes.house;
  const show = async (
    visit: AnyVisit,
    query: { q: string; only: (typeof ruleKinds)[number] | ''; page: number },
    form: FormState,
  ) => {
    const { page, ...search } = query;
    const [found, settings, changes] = await Promise.all([
      pageRules(store, search, { page, perPage }),
      readPeerSettings(store),
      listInstanceChanges(store, peersSubject, shownChanges),
    ]);
    const people = await listPeopleById(
      store,
      changes.map(({ by }) => by),
    );
    const names = new Map(people.map((person) => [person._id, person.displayName]));
    const model = {
      ...presentRules(found, search),
      ...{ settings, form, labels, kinds, crumbs },
      filterKinds: ruleKinds.map((value) => ({ value, key: `instances.rules.kind.${value}` })),
      changes: changes.map((change) => presentRuleChange(change, visit.t, names)),
    };
    await visit.page('instances/rules', model, { title: visit.t('instances.rules.title'), nav });
  };
  const all = { q: '', only: '', page: 1 } as const;
  routes
    .get(rulesPath, { access, query: rulesQuery }, (visit) =>
      show(visit, visit.query, { values: { kind: 'block' }, errors: [] }),
    )
    .post(rulesPath, { access, body: ruleShape, retry: (visit, form) => show(visit, all, form) }, async (visit) => {
      const { domain, ...input } = visit.body;
      const made = await setRule(visit.ctx, domain, input);
      visit.redirect(rulesPath, { key: 'instances.rules.saved', params: { domain: made } });
    })
    .post('/admin/peers/island', { access, body: islandShape }, async (visit) => {
      await setIsland(visit.ctx, visit.body.island === 'on');
      visit.redirect(rulesPath, { key: `instances.rules.island.${visit.body.island}Done` });
    })
    .post('/admin/peers/publish-rules', { access, body: publishShape }, async (visit) => {
      await publishRules(visit.ctx, visit.body.publishesRules);
      visit.redirect(rulesPath, { key: 'instances.settings.saved' });
    });
}

function filePages(routes: Routes): void {
  const { store } = routes.house;
  const file = { field: 'file', maxBytes: maxRuleFileBytes, maxText: maxRuleFileBytes };
  const path = `${rulesPath}/import`;
  const show = (visit: AnyVisit, form: FormState) =>
    visit.page(
      'instances/rulesImport',
      { form, kinds, crumbs: below },
      { title: visit.t('instances.rules.import.title'), nav },
    );
  routes
    .get(`${rulesPath}/export/:list.csv`, { access, params: exportParams }, async (visit) => {
      const isBlocks = visit.params.list === 'blocks';
      const rules = await listRules(store, isBlocks ? ['block', 'limit'] : ['allow'], exported);
      const name = `domain_${visit.params.list}.csv`;
      visit.res.type('text/csv').set('Content-Disposition', `attachment; filename="${name}"`);
      visit.res.send(isBlocks ? writeBlocks(rules) : writeAllows(rules));
    })
    .get(path, { access }, (visit) => show(visit, { values: { kind: 'block' }, errors: [] }))
    .post(path, { access, body: ruleImportShape, file, retry: show }, async (visit) => {
      const csv = visit.file ? Buffer.from(visit.file.bytes).toString('utf8') : visit.body.csv;
      const rows = readRuleFile(csv, visit.body.kind);
      if (rows.length === 0) throw new DomainError('invalid', 'instances.rules.import.empty', { field: 'file' });
      const policy = await readPolicy(store);
      const model = { ...presentRuleImport(rows, policy.kinds), csv, kind: visit.body.kind, crumbs: below };
      await visit.page('instances/rulesPreview', model, { title: visit.t('instances.rules.import.previewTitle'), nav });
    })
    .post(`${path}/apply`, { access, body: ruleImportShape, file }, async (visit) => {
      const rows = readRuleFile(visit.body.csv, visit.body.kind).flatMap(({ domain, kind, publicReason }) =>
        domain === null ? [] : [{ domain, kind, publicReason, privateReason: '' }],
      );
      const count = await importRules(visit.ctx, rows);
      visit.redirect(rulesPath, { key: 'instances.rules.import.done', params: { count } });
    });
}

function oneRulePages(routes: Routes): void {
  const { store } = routes.house;
  const path = `${rulesPath}/:domain`;
  const show = async (visit: Visit<{ domain: string }, unknown, unknown>, form: FormState | null) => {
    const rule = await findRule(store, visit.params.domain);
    if (rule === null) throw new DomainError('not-found', 'error.notFound');
    const { kind, publicReason, privateReason } = rule;
    const model = {
      rule: presentRule(rule),
      parent: rule.kind === 'block' ? parentDomain(rule._id) : null,
      form: form ?? { values: { kind, publicReason, privateReason }, errors: [] },
      ...{ labels, kinds, crumbs: below },
    };
    await visit.page('instances/rule', model, { title: rule._id, nav });
  };
  routes
    .get(path, { access, params: ruleParams }, (visit) => show(visit, null))
    .post(path, { access, params: ruleParams, body: ruleChangeShape, retry: show }, async (visit) => {
      const { domain } = visit.params;
      if ((await findRule(store, domain)) === null) throw new DomainError('not-found', 'error.notFound');
      await setRule(visit.ctx, domain, visit.body);
      visit.redirect(rulesPath, { key: 'instances.rules.saved', params: { domain } });
    })
    .post(`${path}/remove`, { access, params: ruleParams }, async (visit) => {
      await removeRule(visit.ctx, visit.params.domain);
      visit.redirect(rulesPath, { key: 'instances.rules.removed', params: { domain: visit.params.domain } });
    });
}
