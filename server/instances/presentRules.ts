// Rules about other instances, and their history, as plain data for the pages.
import { type Paging, paged } from '../collectives/present.js';
import type { StoredChange } from '../history/queries.js';
import type { Translate } from '../i18n.js';
import type { RuleRow } from './ruleFiles.js';
import type { DomainRule, RuleKind } from './schema.js';

export const rulesPath = '/admin/peers/rules';

/** Which colour goes with which kind of rule. */
const tones = { block: 'broken', allow: 'well', limit: 'waiting' } as const;

export function presentRule({ _id, kind, publicReason, privateReason, at }: DomainRule) {
  const href = `${rulesPath}/${encodeURIComponent(_id)}`;
  return {
    domain: _id,
    kind: `instances.rules.kind.${kind}`,
    tone: tones[kind],
    publicReason,
    privateReason,
    at,
    href,
  };
}

export function presentRules(
  found: { items: DomainRule[]; total: number; page: number; pages: number },
  search: { q: string; only: RuleKind | '' },
): { rules: ReturnType<typeof presentRule>[]; total: number; search: typeof search; paging: Paging } {
  const { items, total, page, pages } = found;
  return { rules: items.map(presentRule), total, search, paging: paged(rulesPath, search, { page, pages }) };
}

export function presentRuleChange(change: StoredChange, t: Translate, names: ReadonlyMap<string, string>) {
  const about = change.fields.find(({ path }) => path === 'domain');
  const domain = String(about?.after ?? about?.before ?? '');
  const shown = change.fields.filter(({ path }) => path !== 'domain');
  return {
    what: about ? t(`instances.rules.what.${change.what}`, { domain }) : t('instances.rules.what.settings'),
    by: names.get(change.by) ?? t('history.by.gone'),
    at: change.at,
    fields: shown.map(({ path, before, after }) => ({
      key: `instances.rules.field.${path}`,
      before: valueIn(path, before, t),
      after: valueIn(path, after, t),
    })),
  };
}

function valueIn(path: string, value: unknown, t: Translate): string {
  if (typeof value === 'boolean') return t(value ? 'history.value.yes' : 'history.value.no');
  if (typeof value !== 'string') return '';
  return path === 'kind' ? t(`instances.rules.kind.${value}`) : value;
}

/** Lines shown of a list before it is taken over. */
const shownRows = 200;

export function presentRuleImport(rows: readonly RuleRow[], known: ReadonlyMap<string, RuleKind>) {
  const taken = rows.filter(({ domain }) => domain !== null);
  const left = rows.filter(({ domain }) => domain === null);
  const states = taken.map((row) => ({ row, before: known.get(row.domain ?? '') ?? null }));
  const news = states.filter(({ row, before }) => before !== row.kind);
  return {
    count: taken.length,
    newCount: news.length,
    sameCount: taken.length - news.length,
    rows: news.slice(0, shownRows).map(({ row, before }) => ({
      domain: row.domain,
      kind: `instances.rules.kind.${row.kind}`,
      tone: tones[row.kind],
      before: before && `instances.rules.kind.${before}`,
      publicReason: row.publicReason,
    })),
    moreCount: Math.max(0, news.length - shownRows),
    leftCount: left.length,
    left: left.slice(0, shownRows).map(({ line, text, why }) => ({ line, text, why: `instances.rules.left.${why}` })),
  };
}
