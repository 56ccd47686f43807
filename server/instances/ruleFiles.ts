// Lists of rules as CSV files in the form of Mastodon, so that lists can be taken over and passed on. Pure.
import { readCsv, toCsv } from '../formats/csv.js';
import { readDomain } from './rules.js';
import type { DomainRule, RuleKind } from './schema.js';

export interface RuleRow {
  line: number;
  /** As it stands in the file. */
  text: string;
  /** Null: the line is left out, for this reason. */
  domain: string | null;
  why: 'notDomain' | 'hidden' | 'noop' | 'twice' | null;
  kind: RuleKind;
  publicReason: string;
}

const severities: Record<string, RuleKind | 'noop'> = { suspend: 'block', silence: 'limit', noop: 'noop' };
/** Lines read of one file. */
export const maxRuleLines = 10_000;

/**
 * The lines of a list. With a header (`#domain,#severity,…`, with or without `#`) by its columns, without one the first
 * cell of each line is the domain. `otherwise` is what a line without severity means. Left out, each with its reason:
 * what is no domain, names hidden with `*`, severity noop, repeats.
 */
export function readRuleFile(csv: string, otherwise: RuleKind): RuleRow[] {
  const lines = readCsv(csv, maxRuleLines + 1);
  const names = (lines[0] ?? []).map((cell) => cell.trim().replace(/^#/, '').toLowerCase());
  const hasHeader = names.includes('domain');
  const column = (name: string): number => (hasHeader ? names.indexOf(name) : name === 'domain' ? 0 : -1);
  const [domainAt, severityAt, commentAt] = [column('domain'), column('severity'), column('public_comment')];
  const seen = new Set<string>();
  return lines.slice(hasHeader ? 1 : 0).map((cells, index) => {
    const text = (cells[domainAt] ?? '').trim();
    const severity = severities[(cells[severityAt] ?? '').trim().toLowerCase()] ?? otherwise;
    const domain = readDomain(text);
    const why = reasonToLeaveOut(text, domain, severity, seen);
    if (domain !== null) seen.add(domain);
    return {
      line: index + (hasHeader ? 2 : 1),
      text: text.slice(0, 300),
      domain: why === null ? domain : null,
      why,
      kind: severity === 'noop' ? otherwise : severity,
      publicReason: cleanReason(cells[commentAt] ?? ''),
    };
  });
}

function reasonToLeaveOut(text: string, domain: string | null, severity: string, seen: Set<string>): RuleRow['why'] {
  if (/.\*/.test(text.replace(/^\*\./, ''))) return 'hidden';
  if (domain === null) return 'notDomain';
  if (severity === 'noop') return 'noop';
  return seen.has(domain) ? 'twice' : null;
}

function cleanReason(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 300);
}

/** What is blocked or limited, in the columns of Mastodon. Private reasons stay here. */
export function writeBlocks(rules: readonly DomainRule[]): string {
  return toCsv(rules, [
    { header: '#domain', value: (rule) => rule._id },
    { header: '#severity', value: (rule) => (rule.kind === 'limit' ? 'silence' : 'suspend') },
    { header: '#reject_media', value: () => 'False' },
    { header: '#reject_reports', value: () => 'False' },
    { header: '#public_comment', value: (rule) => rule.publicReason },
    { header: '#obfuscate', value: () => 'False' },
  ]);
}

/** What is allowed: the one column that Mastodon reads. */
export function writeAllows(rules: readonly DomainRule[]): string {
  return toCsv(rules, [{ header: '#domain', value: (rule) => rule._id }]);
}
