// What every template relies on: the helpers, the shared parts of a page, and the one stylesheet with its colours.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import Handlebars from 'handlebars';
import { loadViews, type PageFrame, type Views } from '../../../server/http/views.js';
import { loadI18n } from '../../../server/i18n.js';
import { defaultSettings, wordsIn } from '../../../server/instances/settings.js';
import { viewsDir } from '../../../server/paths.js';

const i18n = loadI18n(join(viewsDir, 'locales'));

function frame(language: 'fr' | 'en' = 'fr', more: object = {}): PageFrame {
  return {
    language,
    t: i18n.translator(language, wordsIn(defaultSettings, language)),
    timeZone: 'Europe/Paris',
    settings: defaultSettings,
    title: 'Titre',
    path: '/here',
    here: '/here?a=1&b=2',
    canonical: 'https://example.org/here',
    otherLanguage: language === 'fr' ? 'en' : 'fr',
    ...more,
  };
}

/** The house's partials with one template of the test's own, so that a helper or partial is seen alone. */
function viewsWith(template: string): Views {
  const dir = mkdtempSync(join(tmpdir(), 'chatiere-views-'));
  for (const folder of ['partials', 'public']) {
    mkdirSync(join(dir, folder));
    for (const name of readdirSync(join(viewsDir, folder))) {
      writeFileSync(join(dir, folder, name), readFileSync(join(viewsDir, folder, name)));
    }
  }
  writeFileSync(join(dir, 'probe.hbs'), template);
  return loadViews(dir);
}

function render(template: string, model: object = {}, page: PageFrame = frame()): string {
  return viewsWith(template).render('probe', model, page, null).trim();
}

function attribute(html: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(html)?.[1];
}

describe('helpers of templates', () => {
  it('show a text in the reader’s language, else in the other one and say which', () => {
    const model = { both: { fr: 'Bonjour', en: 'Hello' }, french: { fr: 'Bonjour', en: '' } };
    const template = '<i lang="{{otherLang both}}">{{text both}}</i><i lang="{{otherLang french}}">{{text french}}</i>';
    expect(render(template, model, frame('en'))).to.equal('<i lang="en">Hello</i><i lang="fr">Bonjour</i>');
  });

  it('leave a field its name when it is called like a helper', () => {
    expect(
      render('{{#each items}}{{text}} {{date}} {{number}};{{/each}}', { items: [{ text: 'a', date: 'b', number: 3 }] }),
    ).to.equal('a b 3;');
  });

  it('keep French signs on the line of their word', () => {
    expect(render('{{t "shape.url"}}')).to.include('Exemple\u00a0: https');
    expect(render('{{t "shape.url"}}', {}, frame('en'))).to.not.include('\u00a0');
  });

  it('write days without a time zone, and moments in the reader’s', () => {
    const model = { day: '2026-05-21', late: new Date('2026-05-21T22:30:00Z') };
    expect(render('{{date day}} | {{date late}}', model, frame('en'))).to.equal('21 May 2026 | 22 May 2026');
    expect(render('{{dateTime late}}', model)).to.equal('22 mai 2026 à 00:30');
    expect(render('{{date nothing}}', model)).to.equal('');
  });

  it('never let JSON-LD end its element', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const json = render('{{jsonLd thing}}', { thing: { name } });
        expect(json).to.not.match(/<|<!--/);
        expect(JSON.parse(json)).to.deep.equal({ name });
      }),
      { numRuns: 50, examples: [['</script><script>alert(1)</script>'], ['<!--']] },
    );
  });

  it('take the telling letter of a name', () => {
    for (const [name, letter] of [
      ['L’Écluse Libre', 'É'],
      ['La Passerelle', 'P'],
      ['Lanterne', 'L'],
      ['42 services', '4'],
      ['…', ''],
    ]) {
      expect(render('{{initial name}}', { name }), name).to.equal(letter);
    }
  });

  it('refuse the address of a file that is not there', () => {
    expect(render('{{asset "chatiere.css"}}')).to.match(/^\/assets\/chatiere\.css\?v(=|&#x3D;)[0-9a-f]{8}$/);
    expect(() => render('{{asset "other.css"}}')).to.throw('other.css');
  });
});

describe('fields of forms', () => {
  const errors = [
    { field: 'email', message: { key: 'shape.email' } },
    { field: 'name.en', message: { key: 'shape.required' } },
    { field: '', message: { key: 'error.badForm' } },
  ];

  it('tie the label, the hint and the mistake to the field', () => {
    const html = render(
      '{{> field name="email" label="layout.copy" hint="layout.skip" value=value errors=errors type="email" required=true}}',
      { value: 'a"b', errors },
    );
    expect(attribute(html, 'for')).to.equal('f-email');
    expect(html).to.match(/<input id="f-email"[^>]* required/);
    expect(attribute(html, 'aria-describedby')).to.equal('f-email-hint f-email-error');
    expect(html).to.include('id="f-email-hint"').and.include('id="f-email-error"').and.include('aria-invalid="true"');
    expect(attribute(html, 'value')).to.equal('a&quot;b');
  });

  it('are quiet when nothing is wrong', () => {
    const html = render('{{> field name="other" label="layout.copy" errors=errors}}', { errors });
    expect(html).to.not.match(/aria-|mistake|required/);
  });

  for (const partial of ['field', 'textarea', 'select', 'checkbox', 'file', 'choices']) {
    it(`say the mistake and nothing unescaped in "${partial}"`, () => {
      const html = render(
        `{{> ${partial} name="email" label="layout.copy" value=value options=options errors=errors}}`,
        {
          value: '<b>',
          options: [{ value: '<b>', label: '<i>' }],
          errors,
        },
      );
      expect(html).to.include('f-email-error').and.include('Exemple');
      expect(html).to.not.match(/<b>|<i>/);
    });
  }

  it('stand in pairs, each in its language, the mistake at its own', () => {
    const html = render(
      '{{> fieldPair name="name" label="layout.copy" hint="layout.skip" values=name errors=errors maxlength=120}}',
      { name: { fr: 'Pads', en: '' }, errors },
    );
    const inputs = html.match(/<input[^>]*>/g) ?? [];
    expect(
      inputs.map((input) => [attribute(input, 'name'), attribute(input, 'lang'), attribute(input, 'value')]),
    ).to.deep.equal([
      ['name.fr', 'fr', 'Pads'],
      ['name.en', 'en', ''],
    ]);
    expect(inputs[0]).to.not.include('aria-invalid');
    expect(attribute(inputs[1] ?? '', 'aria-describedby')).to.equal('f-name-hint f-name-en-error');
  });

  it('are named in the summary, which leads to them', () => {
    const html = render('{{> formErrors errors=errors labels=(object email="layout.copy")}}', { errors });
    expect(html).to.include('3 points').and.include('href="#f-email"').and.include('href="#f-name-en"');
    expect(html).to.match(/Copier\s: Cette adresse/);
    expect(render('{{> formErrors errors=errors}}', { errors: [] })).to.equal('');
  });

  it('choose the option that was typed, be it a number, a text or a list', () => {
    const options = [
      { value: 1, label: 'one' },
      { value: 2, label: 'two' },
    ];
    expect(render('{{> select name="n" label="layout.copy" options=options value="2"}}', { options })).to.match(
      /value="2" selected/,
    );
    const boxes = (value: unknown) =>
      (
        render('{{> choices name="n" label="layout.copy" options=options value=value multiple=true}}', {
          options: [
            { value: 'a', label: 'A' },
            { value: 'b', label: 'B' },
          ],
          value,
        }).match(/value="\w" checked/g) ?? []
      ).join();
    expect(boxes(['a', 'b'])).to.equal('value="a" checked,value="b" checked');
    expect(boxes('b')).to.equal('value="b" checked');
    expect(boxes(undefined)).to.equal('');
  });

  it('carry the token of the session when they act', () => {
    const page = frame('fr', { csrf: 'token<' });
    for (const partial of [
      'csrf',
      'deed action="/x" label="layout.copy"',
      'confirmDelete action="/x" label="layout.copy" text="layout.skip"',
    ]) {
      expect(render(`{{> ${partial}}}`, {}, page), partial).to.include('name="_csrf" value="token&lt;"');
    }
  });
});

describe('the frame of pages', () => {
  const views = loadViews(viewsDir);
  const page = (more: object = {}) =>
    views.render(
      'errors/error',
      { status: 404, message: { key: 'error.notFound' }, requestId: 'r1' },
      frame('fr', more),
    );

  it('gives a visitor the way in and the other language, and goes back to the same page', () => {
    const html = page();
    expect(html).to.include('href="/sign-in"').and.not.include('/sign-out');
    expect(html).to.match(/href="\/language\?to(=|&#x3D;)en&amp;back(=|&#x3D;)%2Fhere%3Fa%3D1%26b%3D2"/);
  });

  it('shows the administration to those with a role only', () => {
    const person = { kind: 'person', instanceRole: null };
    expect(page({ actor: person }))
      .to.include('href="/my"')
      .and.not.include('href="/admin"');
    expect(page({ actor: { ...person, instanceRole: 'moderator' } })).to.include('href="/admin"');
  });

  it('says what was done, once, as a status', () => {
    expect(page({ flash: { key: 'layout.copy.done' } })).to.match(/role="status"><p>Copié</);
    expect(page()).to.not.include('role="status"');
  });

  it('marks one entry of the navigation', () => {
    expect(page({ nav: 'about' }).match(/aria-current="page"/g)).to.have.length(1);
  });
});

describe('templates', () => {
  const files = readdirSync(viewsDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.hbs'));

  it('all compile', () => {
    for (const file of files) Handlebars.precompile(readFileSync(join(viewsDir, file), 'utf8'));
    expect(files).to.not.be.empty;
  });

  it('hold no style, no script and no handler, which the Content-Security-Policy would refuse', () => {
    for (const file of files) {
      const source = readFileSync(join(viewsDir, file), 'utf8');
      expect(source, file).to.not.match(/\sstyle=|<style|\son[a-z]+="|javascript:/i);
      for (const [script] of source.matchAll(/<script[^>]*>/g))
        expect(script, file).to.match(/src=|application\/ld\+json/);
    }
  });

  it('call partials that exist', () => {
    const partials = new Set(files.filter((file) => file.startsWith('partials/')).map((file) => file.slice(9, -4)));
    for (const file of files) {
      for (const [, name = ''] of readFileSync(join(viewsDir, file), 'utf8').matchAll(/\{\{#?>\s*([\w/-]+)/g)) {
        expect(partials.has(name), `${file} calls ${name}`).to.equal(true);
      }
    }
  });
});

describe('the stylesheet', () => {
  const css = readFileSync(join(viewsDir, 'public', 'chatiere.css'), 'utf8');
  /** What only the pages of one slice need. */
  const ofSlices = readdirSync(join(viewsDir, 'public'))
    .filter((name) => name.endsWith('.css') && name !== 'chatiere.css')
    .map((name) => readFileSync(join(viewsDir, 'public', name), 'utf8'));
  const [light = new Map(), dark = new Map()] = [...css.matchAll(/:root\s*\{([^}]*)\}/g)].map(
    ([, body = '']) =>
      new Map([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{3,6})/g)].map(([, name = '', value = '']) => [name, value])),
  );
  const themes = { light, dark: new Map([...light, ...dark]) };

  /** Pairs that carry text: 4.5 (WCAG 2.2, 1.4.3). */
  const texts = [
    ...['ink', 'ink-soft', 'door', 'moss', 'ochre', 'brick'].flatMap((text) =>
      ['wall', 'wall-raised'].map((ground) => [text, ground]),
    ),
    ...['door-tint', 'moss-tint', 'ochre-tint', 'brick-tint', 'wall-deep'].map((ground) => ['ink', ground]),
    ...['moss', 'ochre', 'brick', 'door'].map((colour) => [colour, `${colour}-tint`]),
    ['door', 'ochre-tint'],
    ['ink-soft', 'wall-deep'],
    ['wall', 'door'],
    ['on-band', 'band'],
    ['on-band', 'band-deep'],
    ['on-persimmon', 'persimmon'],
    ['on-persimmon', 'persimmon-lit'],
  ] as [string, string][];

  /** Edges by which a control or a mark is known: 3 (1.4.11). */
  const edges = [
    ['edge', 'wall'],
    ['edge', 'wall-raised'],
    ['persimmon', 'wall'],
    ['on-band-soft', 'band'],
    ['brick', 'wall-raised'],
  ] as [string, string][];

  for (const [name, tokens] of Object.entries(themes)) {
    it(`has enough contrast, ${name}`, () => {
      const poor = [
        ...texts.map((pair) => [...pair, 4.5] as const),
        ...edges.map((pair) => [...pair, 3] as const),
      ].flatMap(([above, below, least]) => {
        const ratio = contrast(tokens.get(above), tokens.get(below));
        return ratio < least ? [`${above} on ${below}: ${ratio.toFixed(2)} < ${least}`] : [];
      });
      expect(poor).to.deep.equal([]);
    });
  }

  it('gives every colour a dark counterpart', () => {
    expect([...dark.keys()].sort()).to.deep.equal([...light.keys()].sort());
  });

  it('names colours in its tokens only', () => {
    const rest = [css.slice(css.indexOf('@layer reset')), ...ofSlices]
      .map((sheet) => sheet.replace(/@layer print[\s\S]*$/, '').replace(/::backdrop \{[^}]*\}/, ''))
      .join('');
    expect(rest.match(/#[0-9a-f]{3,8}\b|rgb\(|hsl\(/gi)).to.equal(null);
  });

  it('uses no token that is not declared', () => {
    const declared = new Set([...css.matchAll(/--([\w-]+):/g)].map(([, name]) => name));
    const used = [...[css, ...ofSlices].join('').matchAll(/var\(--([\w-]+)/g)].map(([, name]) => name);
    expect(used.filter((name) => !declared.has(name))).to.deep.equal([]);
  });

  it('fetches nothing from elsewhere and stays below 32 KiB, and what a slice adds below 8', () => {
    for (const sheet of [css, ...ofSlices]) expect(sheet).to.not.match(/url\(|@import/);
    expect(Buffer.byteLength(css)).to.be.below(32 * 1024);
    for (const sheet of ofSlices) expect(Buffer.byteLength(sheet)).to.be.below(8 * 1024);
  });
});

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string | undefined, b: string | undefined): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string | undefined): number {
  if (colour === undefined || !/^#[0-9a-f]{6}$/.test(colour)) throw new Error(`no colour: ${colour}`);
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
