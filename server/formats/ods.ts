// Tables as an OpenDocument spreadsheet (ODF 1.3): every cell says whether it is a text or a number, and none is a formula.
import { writeZip } from './zip.js';

export type OdsCell = string | number | null;

export interface OdsSheet {
  name: string;
  rows: readonly (readonly OdsCell[])[];
}

const mimetype = 'application/vnd.oasis.opendocument.spreadsheet';
const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/**
 * The file. The first row of each sheet is its header, in bold. Texts stay texts, whatever they begin with (OWASP, CSV
 * injection): a cell of the type "string" is never computed.
 */
export async function writeOds(sheets: readonly OdsSheet[]): Promise<Buffer> {
  return writeZip([
    // First and not compressed: so programs know the file by its first bytes (ODF 1.3, part 2, §3.3).
    { name: 'mimetype', text: mimetype, isStored: true },
    { name: 'META-INF/manifest.xml', text: manifest() },
    { name: 'content.xml', text: content(sheets) },
  ]);
}

function manifest(): string {
  const entry = (path: string, type: string) =>
    `<manifest:file-entry manifest:full-path="${path}" manifest:media-type="${type}"/>`;
  return `${declaration}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">${entry('/', mimetype)}${entry('content.xml', 'text/xml')}</manifest:manifest>`;
}

function content(sheets: readonly OdsSheet[]): string {
  const names = ['office', 'table', 'text', 'style'].map(
    (name) => ` xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`,
  );
  const fo = ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"';
  const bold =
    '<office:automatic-styles><style:style style:name="head" style:family="table-cell"><style:text-properties fo:font-weight="bold"/></style:style></office:automatic-styles>';
  const tables = titles(sheets).map((name, index) => table(name, sheets[index]?.rows ?? []));
  return `${declaration}<office:document-content${names.join('')}${fo} office:version="1.3">${bold}<office:body><office:spreadsheet>${tables.join('')}</office:spreadsheet></office:body></office:document-content>`;
}

/** Programs refuse some signs in the names of sheets, and two of one name. */
function titles(sheets: readonly OdsSheet[]): string[] {
  const seen = new Set<string>();
  return sheets.map(({ name }) => {
    const plain =
      name
        .replace(/[[\]*?:/\\']/g, ' ')
        .trim()
        .slice(0, 28) || 'Sheet';
    const title = seen.has(plain) ? `${plain} ${seen.size + 1}` : plain;
    seen.add(title);
    return title;
  });
}

function table(name: string, rows: OdsSheet['rows']): string {
  const [head = [], ...rest] = rows;
  const row = (cells: readonly OdsCell[], style = '') =>
    `<table:table-row>${cells.map((value) => cell(value, style)).join('')}</table:table-row>`;
  const first = `<table:table-header-rows>${row(head, ' table:style-name="head"')}</table:table-header-rows>`;
  const width = Math.max(1, ...rows.slice(0, 1).map((cells) => cells.length));
  const columns = `<table:table-column table:number-columns-repeated="${width}"/>`;
  return `<table:table table:name="${xml(name)}">${columns}${first}${rest.map((cells) => row(cells)).join('')}</table:table>`;
}

function cell(value: OdsCell, style: string): string {
  if (value === null || value === '') return `<table:table-cell${style}/>`;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `<table:table-cell${style}/>`;
    return `<table:table-cell${style} office:value-type="float" office:value="${value}"><text:p>${value}</text:p></table:table-cell>`;
  }
  const lines = value.split(/\r\n|\r|\n/).map((line) => `<text:p>${spaces(xml(line))}</text:p>`);
  return `<table:table-cell${style} office:value-type="string">${lines.join('')}</table:table-cell>`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** What XML 1.0 has no place for (§2.2), halves of characters among it, is left out. */
function xml(text: string): string {
  return (
    text
      .replace(/\p{Surrogate}/gu, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: leaving them out is the point
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[&<>"']/g, (sign) => entities[sign] ?? '')
  );
}

/** Several spaces are one for XML; these stay several (ODF 1.3, part 3, §6.1.3). */
function spaces(text: string): string {
  return text.replaceAll('\t', '<text:tab/>').replace(/^ | {2,}/g, (run) => `<text:s text:c="${run.length}"/>`);
}
