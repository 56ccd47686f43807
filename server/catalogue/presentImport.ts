// The preview of an import as plain data for its page: what each part would become, field by field, and every remark.

import type { Language } from '../context.js';
import type { Change } from '../events.js';
import type { HistoryWords } from '../history/present.js';
import { presentChange } from '../history/present.js';
import { textIn } from '../shapes.js';
import type { FileReport, ImportPlan, Remark, ServiceItem } from './importPlan.js';

/** Fields shown of one thing before "and n more". */
const mostFields = 60;

export function presentPlan(plan: ImportPlan, words: HistoryWords) {
  const { collective } = plan;
  const parts = plan.services.map((item) => presentItem(item, plan, words));
  const of = (...whats: ServiceItem['what'][]) => parts.filter(({ what, skipped }) => whats.includes(what) && !skipped);
  const isSame = !collective || collective.changes.length === 0;
  const report = collective ? reportOf(plan, collective.address) : undefined;
  return {
    digest: plan.digest,
    collective: collective && {
      part: 'collective',
      address: collective.address,
      skipped: collective.skipped,
      isSame,
      fields: fieldsOf('collective', collective.changes, words),
      ...presentReport(report, plan),
    },
    created: of('create'),
    changed: of('change'),
    same: of('same', 'withdrawn'),
    impossible: of('impossible'),
    skipped: parts.filter(({ skipped }) => skipped),
    absent: plan.absent.map(({ serviceId, name }) => ({ serviceId, name })),
    otherFiles: plan.files
      .filter(({ kind, refusal }) => kind === 'metrics' || refusal !== null)
      .map((file) => ({ address: file.address, ...presentReport(file, plan) }))
      .filter(({ refusal, remarks }) => refusal !== null || remarks.length > 0),
    failures: plan.failures,
    warningCount: plan.warningCount,
    does: {
      created: of('create').length,
      changed: of('change').length,
      same: of('same').length,
      collective: !isSame && !collective?.skipped,
    },
    isNothing: of('create', 'change').length === 0 && (isSame || collective?.skipped === true),
  };
}

function presentItem(item: ServiceItem, plan: ImportPlan, words: HistoryWords) {
  return {
    part: item.address,
    address: item.address,
    what: item.what,
    skipped: item.skipped,
    name: item.name,
    plainName: textIn(item.name, words.language),
    software: item.reading.profile.software.name,
    needs: item.reading.profile.needs.map((need) => `catalogue.need.${need}`),
    // Of a new service everything is new: its main facts say enough.
    fields: item.what === 'change' ? fieldsOf('service', item.changes, words) : [],
    facts: item.what === 'create' ? fieldsOf('service', item.changes, words) : [],
    refused: item.reading.refused.map(({ path, key }) => ({
      label: labelOf(path, words),
      message: { key, params: { max: 0, min: 0 } },
    })),
    withdrawn: item.what === 'withdrawn',
    ...presentReport(reportOf(plan, item.address), plan),
  };
}

function labelOf(path: string, { i18n, language, t }: HistoryWords): string {
  const key = `catalogue.field.${path}`;
  return i18n.has(language, key) ? t(key) : path;
}

function fieldsOf(subject: Change['subject'], changes: Change['fields'], words: HistoryWords) {
  const change = {
    subject,
    subjectId: '',
    collectiveId: null,
    by: 'system:import',
    what: 'imported' as const,
    fields: changes,
  };
  return presentChange({ ...change, _id: '', at: new Date(0) }, words)
    .fields.filter(({ before, after }) => before || after)
    .slice(0, mostFields);
}

function reportOf(plan: ImportPlan, address: string): FileReport | undefined {
  return plan.files.find((file) => file.address === address);
}

function presentReport(report: FileReport | undefined, plan: ImportPlan) {
  const file = report ? plan.files.indexOf(report) : 0;
  return {
    refusal: report?.refusal ?? null,
    notes: report?.notes ?? 0,
    remarks: (report?.remarks ?? []).map((remark, index) =>
      presentRemark(remark, report?.address ?? '', `remark-${file}-${index}`),
    ),
  };
}

function presentRemark(remark: Remark, address: string, id: string) {
  return {
    ...remark,
    address,
    id,
    levelKey: `formats.level.${remark.level}`,
    kind: remark.level === 'error' ? 'broken' : 'waiting',
    hasLine: remark.line > 0,
    canCorrect: remark.key !== null && remark.value !== null,
    isLong: (remark.value ?? '').includes('\n'),
  };
}

export type Summary = { created: number; changed: number };

/** What the flash says after the import. */
export function doneMessage({ created, changed }: Summary) {
  return { key: 'catalogue.import.done', params: { created, changed } };
}

export function wordsFor(parts: Pick<HistoryWords, 'i18n' | 't'>, language: Language): HistoryWords {
  return { ...parts, language, names: new Map(), subjects: new Map() };
}
