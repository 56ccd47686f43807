// A visitor without JavaScript: keeps cookies, follows links, fills in forms as they stand on the page.
// Reads our own well-formed HTML with patterns; html-validate proves elsewhere that it is well formed.

export interface Form {
  method: string;
  action: string;
  multipart: boolean;
  /** What a browser would send untouched; of boxes of one name the last that is ticked. */
  values: Map<string, string>;
  /** All that are ticked, of boxes of one name. */
  ticked: Map<string, string[]>;
  /** The submit buttons with a name. */
  buttons: { name: string; value: string }[];
  html: string;
}

export interface Page {
  status: number;
  url: string;
  html: string;
  headers: Headers;
  /** Visible text, one space between words. */
  text: string;
  forms: Form[];
}

export class Visitor {
  private readonly cookies = new Map<string, string>();
  private page: Page | null = null;

  constructor(
    readonly baseUrl: string,
    readonly language: 'fr' | 'en' = 'fr',
  ) {}

  get current(): Page {
    if (!this.page) throw new Error('no page was visited yet');
    return this.page;
  }

  async visit(path: string): Promise<Page> {
    return this.request(new URL(path, this.page?.url ?? this.baseUrl), { method: 'GET' });
  }

  /** Follows the first link whose text holds the words given. */
  async follow(words: string): Promise<Page> {
    for (const [, attributes, inner] of this.current.html.matchAll(/<a\s([^>]*)>([\s\S]*?)<\/a>/g)) {
      const href = attribute(attributes ?? '', 'href');
      if (href && visibleText(inner ?? '').includes(words)) return this.visit(href);
    }
    throw new Error(`no link "${words}" on ${this.current.url}:\n${this.current.text}`);
  }

  /** The first form whose action's path (without query) ends so, and which holds these values. */
  form(actionEnd: string, holding: Record<string, string> = {}): Form {
    const form = this.current.forms.find(
      (one) =>
        new URL(one.action, this.current.url).pathname.endsWith(actionEnd) &&
        Object.entries(holding).every(([name, value]) => one.values.get(name) === value),
    );
    if (!form) {
      throw new Error(
        `no form "${actionEnd}" on ${this.current.url} (${this.current.status}): ${this.current.forms.map((one) => one.action).join(', ')}\n${this.current.text.slice(0, 2000)}`,
      );
    }
    return form;
  }

  /**
   * Fills in the form as a person would: fields that it does not have are an error. Boxes of one name as a list. Files as
   * { name: [fileName, bytes] }.
   */
  async submit(
    actionEnd: string,
    fields: Record<string, string | readonly string[]> = {},
    options: {
      button?: string;
      files?: Record<string, [string, Uint8Array | string]>;
      holding?: Record<string, string>;
    } = {},
  ): Promise<Page> {
    const form = this.form(actionEnd, options.holding);
    const values = new Map<string, string | readonly string[]>([...form.values, ...form.ticked]);
    for (const [name, value] of Object.entries(fields)) {
      if (!form.html.includes(`name="${name}"`)) throw new Error(`the form ${actionEnd} has no field ${name}`);
      values.set(name, value);
    }
    const button = form.buttons.find((one) => one.value === options.button || one.name === options.button);
    if (options.button !== undefined && !button)
      throw new Error(`the form ${actionEnd} has no button ${options.button}`);
    if (button) values.set(button.name, button.value);
    const target = new URL(form.action, this.current.url);
    const pairs = pairsOf(values);
    if (form.method === 'get') {
      target.search = new URLSearchParams(pairs).toString();
      return this.request(target, { method: 'GET' });
    }
    return this.request(target, {
      method: 'POST',
      body: form.multipart ? multipart(pairs, options.files ?? {}) : new URLSearchParams(pairs),
    });
  }

  private async request(url: URL, init: RequestInit): Promise<Page> {
    let target = url;
    let step = init;
    for (let hop = 0; hop < 6; hop += 1) {
      const response = await fetch(target, {
        ...step,
        redirect: 'manual',
        headers: {
          accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
          'accept-language': this.language,
          cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(step.method === 'POST' ? { origin: new URL(this.baseUrl).origin, 'sec-fetch-site': 'same-origin' } : {}),
        },
      });
      this.keepCookies(response.headers);
      const location = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && location) {
        await response.arrayBuffer();
        target = new URL(location, target);
        step = { method: 'GET' };
        continue;
      }
      const html = await response.text();
      this.page = {
        status: response.status,
        url: target.href,
        html,
        headers: response.headers,
        text: visibleText(html),
        forms: readForms(html, target.href),
      };
      return this.page;
    }
    throw new Error(`too many redirects from ${url.href}`);
  }

  private keepCookies(headers: Headers): void {
    for (const cookie of headers.getSetCookie()) {
      const [pair = '', ...attributes] = cookie.split(';');
      const at = pair.indexOf('=');
      const expired = attributes.some((one) => /^\s*expires=.*1970/i.test(one) || /^\s*max-age=0/i.test(one));
      if (expired) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}

function pairsOf(values: ReadonlyMap<string, string | readonly string[]>): [string, string][] {
  return [...values].flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]));
}

function multipart(
  values: readonly [string, string][],
  files: Record<string, [string, Uint8Array | string]>,
): FormData {
  const body = new FormData();
  for (const [name, value] of values) if (!(name in files)) body.append(name, value);
  for (const [name, [fileName, bytes]] of Object.entries(files)) {
    body.append(name, new Blob([typeof bytes === 'string' ? bytes : Buffer.from(bytes)]), fileName);
  }
  return body;
}

export function visibleText(html: string): string {
  return decode(
    html
      .replace(/<(script|style|template)\b[\s\S]*?<\/\1>/g, ' ')
      .replace(/<!--[\s\S]*?-->/g, ' ')
      .replace(/<[^>]+>/g, ' '),
  )
    .replace(/\s+/g, ' ')
    .trim();
}

export function readForms(html: string, pageUrl: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', inner = '']) => {
    const values = new Map<string, string>();
    const ticked = new Map<string, string[]>();
    const buttons: Form['buttons'] = [];
    for (const [, tag = ''] of inner.matchAll(/<input\b([^>]*)>/g)) {
      const name = attribute(tag, 'name');
      const type = attribute(tag, 'type') ?? 'text';
      if (!name || has(tag, 'disabled')) continue;
      if (type === 'submit') buttons.push({ name, value: attribute(tag, 'value') ?? '' });
      else if ((type === 'checkbox' || type === 'radio') && !has(tag, 'checked')) continue;
      else if (type !== 'file') {
        const value = attribute(tag, 'value') ?? (type === 'checkbox' ? 'on' : '');
        values.set(name, value);
        if (type === 'checkbox') ticked.set(name, [...(ticked.get(name) ?? []), value]);
      }
    }
    for (const [, tag = '', text = ''] of inner.matchAll(/<textarea\b([^>]*)>([\s\S]*?)<\/textarea>/g)) {
      const name = attribute(tag, 'name');
      if (name) values.set(name, decode(text).replace(/^\n/, ''));
    }
    for (const [, tag = '', options = ''] of inner.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
      const name = attribute(tag, 'name');
      const all = [...options.matchAll(/<option\b([^>]*)>([\s\S]*?)<\/option>/g)];
      const chosen = all.find(([, option = '']) => has(option, 'selected')) ?? all[0];
      if (name && chosen) values.set(name, attribute(chosen[1] ?? '', 'value') ?? visibleText(chosen[2] ?? ''));
    }
    for (const [, tag = ''] of inner.matchAll(/<button\b([^>]*)>/g)) {
      const name = attribute(tag, 'name');
      if (name) buttons.push({ name, value: attribute(tag, 'value') ?? '' });
    }
    return {
      method: (attribute(attributes, 'method') ?? 'get').toLowerCase(),
      action: attribute(attributes, 'action') ?? pageUrl,
      multipart: attribute(attributes, 'enctype') === 'multipart/form-data',
      values,
      ticked,
      buttons,
      html: inner,
    };
  });
}

function attribute(tag: string, name: string): string | null {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*("([^"]*)"|'([^']*)'|([^\\s>]+))`).exec(tag);
  return found ? decode(found[2] ?? found[3] ?? found[4] ?? '') : null;
}

function has(tag: string, name: string): boolean {
  return new RegExp(`(?:^|\\s)${name}(?:\\s|=|/|$)`).test(tag);
}

const named: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  '#x27': "'",
  '#x60': '`',
  '#x3D': '=',
};

function decode(text: string): string {
  return text.replace(/&(#x?[\da-f]+|\w+);/gi, (whole, code: string) => {
    if (named[code]) return named[code];
    if (/^#x/i.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(2), 16));
    if (code.startsWith('#')) return String.fromCodePoint(Number(code.slice(1)));
    return whole;
  });
}
