// Atom feeds: whatever people write in titles and names, the feed stays well-formed and says the same.
import { expect } from 'chai';
import { type AtomFeed, toAtom } from '../../../server/formats/atom.js';

const feed: AtomFeed = {
  id: 'https://x.example/news',
  title: 'Changes',
  language: 'fr',
  selfUrl: 'https://x.example/feed?a=1&b=2',
  pageUrl: 'https://x.example/',
  updatedAt: new Date('2026-01-02T03:04:05Z'),
  author: { name: 'ROSEAU', url: 'https://x.example/about' },
  entries: [],
};

describe('toAtom', () => {
  it('writes the whole feed', () => {
    const text = toAtom({
      ...feed,
      subtitle: 'Services opened and closed',
      entries: [
        {
          id: 'urn:uuid:0190a8a4-0000-7000-8000-000000000000',
          title: 'Pads',
          url: 'https://x.example/pads',
          updatedAt: new Date('2026-01-02T03:04:05Z'),
          publishedAt: new Date('2026-01-01T00:00:00Z'),
          summary: 'Open',
          html: '<p>Open</p>',
          author: { name: 'Écluse' },
          categories: [{ term: 'write', label: 'Écrire' }],
        },
      ],
    });
    expect(text).to.equal(
      `<?xml version="1.0" encoding="utf-8"?>
<feed xml:lang="fr" xmlns="http://www.w3.org/2005/Atom">
    <id>https://x.example/news</id>
    <title>Changes</title>
    <updated>2026-01-02T03:04:05.000Z</updated>
    <generator>Chatière</generator>
    <author>
        <name>ROSEAU</name>
        <uri>https://x.example/about</uri>
    </author>
    <link rel="alternate" href="https://x.example/"/>
    <link rel="self" href="https://x.example/feed?a=1&amp;b=2"/>
    <subtitle>Services opened and closed</subtitle>
    <entry>
        <title type="html"><![CDATA[Pads]]></title>
        <id>urn:uuid:0190a8a4-0000-7000-8000-000000000000</id>
        <link href="https://x.example/pads"/>
        <updated>2026-01-02T03:04:05.000Z</updated>
        <summary type="html"><![CDATA[Open]]></summary>
        <content type="html"><![CDATA[<p>Open</p>]]></content>
        <author>
            <name>Écluse</name>
        </author>
        <category label="Écrire" term="write"/>
        <published>2026-01-01T00:00:00.000Z</published>
    </entry>
</feed>`,
    );
  });

  it('takes titles and names for plain text, also when they look like markup or entities', () => {
    const entry = {
      id: 'https://x.example/1',
      url: 'https://x.example/1',
      updatedAt: feed.updatedAt,
      title: '<script>x</script> & &amp; ]]>',
      summary: '<i>',
      categories: [{ term: 'a&"<b', label: '<y> é' }],
    };
    const text = toAtom({ ...feed, title: 'A & &amp; <b>', author: { name: 'R & <D>' }, entries: [entry] });
    expect(text).to.include('<title>A &amp; &amp;amp; &lt;b&gt;</title>');
    expect(text).to.include('<name>R &amp; &lt;D&gt;</name>');
    expect(text).to.include('&lt;script&gt;x&lt;/script&gt; &amp; &amp;amp; ]]&gt;]]></title>');
    expect(text).to.include('<category label="y é" term="a&amp;&quot;b"/>');
    expect(text).not.to.match(/<script|<i>|<b>/);
  });

  it('lets no HTML close its section, and leaves out what XML cannot hold', () => {
    const entry = {
      id: 'https://x.example/1',
      url: 'https://x.example/1',
      updatedAt: feed.updatedAt,
      title: 'bell\u0007 half\ud800 \uFFFE',
      html: '<p>a]]><evil/></p>',
    };
    const text = toAtom({ ...feed, entries: [entry] });
    expect(text).to.include('<![CDATA[bell half ]]></title>');
    expect(text).to.include('<![CDATA[<p>a]]]]><![CDATA[><evil/></p>]]></content>');
  });
});
