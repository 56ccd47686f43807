import { expect } from 'chai';
import fc from 'fast-check';
import { findMentions, renderMarkdown, renderPostHtml } from '../../../server/posts/render.js';

const allowed = 'p|span|br|a|del|pre|code|em|strong|b|i|u|ul|ol|li|blockquote';

/** Fails on any element or attribute outside the list. */
function checkHtml(html: string): void {
  for (const [tag] of html.matchAll(/<[^>]*>/g)) {
    expect(tag).to.match(
      new RegExp(
        `^(</(${allowed})>|<(${allowed})( /)?>|<a( (href="(https?|mailto|xmpp|matrix):[^"]*"|href="/@[a-z0-9_.-]+"|rel="nofollow noopener noreferrer"|class="u-url mention"))+>)$`,
      ),
    );
  }
}

describe('a post as HTML', () => {
  it('keeps emphasis, lists, quotations, code and lines', async () => {
    expect(await renderMarkdown('**a** *b* ~~c~~\nd\n\n- e\n\n> f\n\n`g`')).to.equal(
      '<p><strong>a</strong> <em>b</em> <del>c</del><br />\nd</p>\n<ul>\n<li>e</li>\n</ul>\n<blockquote>\n<p>f</p>\n</blockquote>\n<p><code>g</code></p>',
    );
  });

  it('makes paragraphs of headings, and leaves out pictures, tables and rules', async () => {
    expect(await renderMarkdown('# Title')).to.equal('<p>Title</p>');
    expect(await renderMarkdown('![x](https://evil.example/pixel.png)')).to.not.contain('<img');
    expect(await renderMarkdown('|a|b|\n|-|-|\n|1|2|')).to.not.contain('<table');
    expect(await renderMarkdown('---')).to.not.contain('<hr');
  });

  it('marks every link so that it gives nothing away, and links only addresses written out', async () => {
    expect(await renderMarkdown('[x](https://a.example/) https://b.example c.example')).to.equal(
      '<p><a href="https://a.example/" rel="nofollow noopener noreferrer">x</a> <a href="https://b.example" rel="nofollow noopener noreferrer">https://b.example</a> c.example</p>',
    );
  });

  it('makes no link of an address without its host', async () => {
    const rel = 'rel="nofollow noopener noreferrer"';
    expect(await renderMarkdown('[a](/me/delete) [b](x.html) [c](#d)')).to.equal(
      `<p><a ${rel}>a</a> <a ${rel}>b</a> <a ${rel}>c</a></p>`,
    );
  });

  it('shows markup as text and drops addresses that could act', async () => {
    const attacks = [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '<svg><style><img src=x onerror=alert(1)></style></svg>',
      '<xmp><script>alert(1)</script></xmp>',
      '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
      '<math><mtext></mtext><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
      '[a](javascript:alert(1))',
      '[a](JaVaScRiPt:alert(1))',
      '[a](data:text/html,<script>alert(1)</script>)',
      '[a](vbscript:x)',
      '[a](//evil.example)',
      '[a](&#106;avascript:alert(1))',
      '<a href="javascript:alert(1)">a</a>',
      '[a](https://a.example/"onmouseover="alert(1))',
      '<div style="position:fixed">x</div>',
      '`<script>`',
    ];
    for (const attack of attacks) {
      const html = await renderMarkdown(attack);
      checkHtml(html);
      expect(html).to.not.match(/<a [^>]*href="(javascript|data|vbscript|\/\/)/i);
    }
  });

  it('never yields anything outside the list, whatever is typed', async () => {
    const pieces = fc.constantFrom(
      ...[
        '<',
        '>',
        '"',
        "'",
        '[',
        '](',
        ')',
        '`',
        '*',
        '_',
        '#',
        '@a',
        '@a@b.example',
        'javascript:',
        'https://a.example',
        '&lt;',
        '\n',
        ' ',
        '<svg',
        'onload=',
        '~~',
        '>',
        '\u202e',
      ],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 30 }), async (parts) => {
        checkHtml(await renderMarkdown(parts.join(''), { mentionHref: () => '/@a' }));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes out marks that turn the direction of the text', async () => {
    expect(await renderMarkdown('abc\u202edef\u2066')).to.equal('<p>abcdef</p>');
  });

  it('shows the language asked for, or the other one when it is not written', async () => {
    expect(await renderPostHtml({ fr: 'oui', en: 'yes' }, 'en')).to.equal('<p>yes</p>');
    expect(await renderPostHtml({ fr: 'oui', en: '' }, 'en')).to.equal('<p>oui</p>');
  });

  it('links a mention that has a page, and leaves the others as text', async () => {
    const mentionHref = (mention: string) => (mention === 'ecluse' ? '/@ecluse' : null);
    expect(await renderMarkdown('Hi @Ecluse and @sam@social.example!', { mentionHref })).to.equal(
      '<p>Hi <a href="/@ecluse" class="u-url mention" rel="nofollow noopener noreferrer">@Ecluse</a> and @sam@social.example!</p>',
    );
  });
});

describe('whom a post names', () => {
  const of = (fr: string, en = '') => findMentions({ fr, en });

  it('knows names here and elsewhere, in both languages, each once', async () => {
    expect(await of('@ecluse, (@Sam@Social.example) **@bob@localhost:3001**', '@ecluse and @zoe')).to.deep.equal([
      'ecluse',
      'sam@social.example',
      'bob@localhost:3001',
      'zoe',
    ]);
  });

  it('sees no name in mail addresses, web addresses, links and code', async () => {
    expect(
      await of('sam@social.example https://framapiaf.org/@sam [@ann](https://a.example) `@code` @ @@x'),
    ).to.deep.equal([]);
  });

  it('leaves the full stop of the sentence out of a name', async () => {
    expect(await of('Merci @sam@social.example. Et @ecluse.')).to.deep.equal(['sam@social.example', 'ecluse']);
  });

  it('takes fifty names at most', async () => {
    expect(await of(Array.from({ length: 80 }, (_, index) => `@name${index}`).join(' '))).to.have.length(50);
  });

  it('is quick on long texts made to be slow', async () => {
    const started = process.hrtime.bigint();
    await of(`@${'a.'.repeat(2400)}@`, `${'@a'.repeat(2400)}`);
    expect(Number(process.hrtime.bigint() - started) / 1e6).to.be.lessThan(500);
  });
});
