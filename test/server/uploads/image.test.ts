import { expect } from 'chai';
import fc from 'fast-check';
import { DomainError } from '../../../server/errors.js';
import { checkImage } from '../../../server/uploads/image.js';
import { maxImageBytes } from '../../../server/uploads/schema.js';
import {
  exif,
  jpeg,
  jpegSegment,
  jpegWith,
  losslessWebp,
  png,
  pngChunk,
  pngOfSize,
  pngWith,
  webp,
  webpChunk,
  webpOf,
} from './pictures.js';

const secret = 'SECRET <script>alert(1)</script>';

function refusal(bytes: Buffer): string {
  try {
    checkImage(bytes);
  } catch (error) {
    if (error instanceof DomainError) return `${error.code} ${error.safeMessage.key} ${error.field}`;
    throw error;
  }
  return 'taken';
}

describe('what may become a picture', () => {
  it('takes a PNG, a JPEG and both kinds of WebP by their content, unchanged when they hold nothing but the picture', () => {
    for (const [bytes, type] of [
      [png, 'image/png'],
      [jpeg, 'image/jpeg'],
      [webp, 'image/webp'],
      [losslessWebp, 'image/webp'],
    ] as const) {
      const image = checkImage(bytes);
      expect({ ...image, bytes: image.bytes.toString('base64'), sha256: image.sha256.length }).to.deep.equal({
        type,
        bytes: bytes.toString('base64'),
        width: 6,
        height: 4,
        sha256: 64,
      });
    }
  });

  it('is the same when checked again', () => {
    for (const bytes of [pngWith(pngChunk('tEXt', secret)), jpegWith(exif(6)), webp]) {
      const once = checkImage(bytes);
      expect(checkImage(once.bytes)).to.deep.equal(once);
    }
  });

  it('refuses what is no picture, whatever it is called', () => {
    const documents = {
      svg: '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
      svgWithBom: '\ufeff<?xml version="1.0"?><svg/>',
      html: '<!doctype html><script>alert(1)</script>',
      activity: '{"@context":"https://www.w3.org/ns/activitystreams","type":"Delete"}',
      gif: 'GIF89a\u0001\u0000\u0001\u0000',
      pdf: '%PDF-1.7',
      riffButWave: 'RIFF\u0024\u0000\u0000\u0000WAVEfmt padding padding',
      pngLater: ` ${png.toString('latin1')}`,
      htmlThenPng: `<html>${png.toString('latin1')}`,
    };
    for (const [name, text] of Object.entries(documents)) {
      expect(refusal(Buffer.from(text, 'latin1')), name).to.equal('invalid uploads.error.type logo');
    }
    expect(refusal(Buffer.alloc(0))).to.equal('invalid uploads.error.empty logo');
  });

  it('refuses a file over 512 KiB before looking into it', () => {
    expect(refusal(Buffer.concat([png, Buffer.alloc(maxImageBytes)]))).to.equal('invalid uploads.error.tooHeavy logo');
  });

  it('refuses more than 4096 pixels on a side, however few bytes they take', () => {
    expect(refusal(pngOfSize(30_000, 30_000))).to.equal('invalid uploads.error.tooManyPixels logo');
    expect(refusal(pngOfSize(4097, 1))).to.equal('invalid uploads.error.tooManyPixels logo');
    expect(refusal(pngOfSize(1, 4097))).to.equal('invalid uploads.error.tooManyPixels logo');
    expect(refusal(pngOfSize(4096, 4096))).to.equal('taken');
    expect(refusal(pngOfSize(0, 4))).to.equal('invalid uploads.error.damaged logo');
  });

  it('cuts off what follows the end of the picture', () => {
    for (const bytes of [png, jpeg, webp]) {
      const image = checkImage(Buffer.concat([bytes, Buffer.from(secret)]));
      expect(image.bytes.equals(bytes)).to.equal(true);
    }
  });

  it('takes text, profiles, times and unknown chunks out of a PNG', () => {
    for (const type of ['tEXt', 'zTXt', 'iTXt', 'eXIf', 'tIME', 'iCCP', 'acTL', 'fdAT', 'prVt']) {
      expect(checkImage(pngWith(pngChunk(type, secret))).bytes.equals(png), type).to.equal(true);
    }
  });

  it('refuses a PNG with an unknown chunk that nobody may skip, a wrong sum, or no end', () => {
    expect(refusal(pngWith(pngChunk('ABCD', 'x')))).to.equal('invalid uploads.error.damaged logo');
    const wrongSum = Buffer.from(png);
    wrongSum[50] = (wrongSum[50] ?? 0) ^ 1;
    expect(refusal(wrongSum)).to.equal('invalid uploads.error.damaged logo');
    expect(refusal(png.subarray(0, -12))).to.equal('invalid uploads.error.damaged logo');
    expect(refusal(Buffer.concat([png.subarray(0, 33), png.subarray(-12)]))).to.equal(
      'invalid uploads.error.damaged logo',
    );
  });

  it('takes place, camera, comments and profiles out of a JPEG', () => {
    const hidden = jpegWith(
      jpegSegment(0xe0, Buffer.from(`JFIF\0${secret}`)),
      exif(1),
      jpegSegment(0xe2, Buffer.from(`ICC_PROFILE\0${secret}`)),
      jpegSegment(0xfe, Buffer.from(secret)),
    );
    expect(checkImage(hidden).bytes.equals(jpeg)).to.equal(true);
  });

  it('keeps a picture upright: of its Exif only the orientation is written back', () => {
    const image = checkImage(jpegWith(exif(6)));
    expect([image.width, image.height]).to.deep.equal([4, 6]);
    expect(image.bytes.includes('GPS')).to.equal(false);
    expect(image.bytes.length).to.equal(jpeg.length + 36);
  });

  it('refuses a JPEG with a second frame, without an end, or of a kind that browsers do not show', () => {
    const frame = jpegSegment(0xc0, Buffer.from([8, 0, 4, 0, 6, 1, 1, 0x11, 0]));
    expect(refusal(jpegWith(frame))).to.equal('invalid uploads.error.damaged logo');
    expect(refusal(jpeg.subarray(0, -2))).to.equal('invalid uploads.error.damaged logo');
    const arithmetic = Buffer.from(jpeg);
    arithmetic[arithmetic.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc9;
    expect(refusal(arithmetic)).to.equal('invalid uploads.error.damaged logo');
  });

  it('takes Exif, XMP, profile and unknown chunks out of a WebP', () => {
    const extras = ['EXIF', 'XMP ', 'ICCP', 'junk'].map((type) => webpChunk(type, secret));
    const body = webp.subarray(12);
    const header = Buffer.from(body.subarray(0, 18));
    header[8] = 0x3c;
    const hidden = webpOf(header, ...extras, body.subarray(18));
    expect(checkImage(hidden).bytes.equals(webp)).to.equal(true);
  });

  it('refuses a WebP that moves, or whose canvas is not the size of its picture', () => {
    const body = Buffer.from(webp.subarray(12));
    body[8] = 0x12;
    expect(refusal(webpOf(body))).to.equal('invalid uploads.error.damaged logo');
    const small = Buffer.from(webp.subarray(12));
    small.writeUIntLE(1, 12, 3);
    expect(refusal(webpOf(small))).to.equal('invalid uploads.error.damaged logo');
  });

  it('answers every damaged file with a refusal, never with a fault', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(png, jpegWith(exif(3)), webp, losslessWebp),
        fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 }),
        fc.nat(2000),
        (bytes, changes, length) => {
          const damaged = Buffer.from(bytes.subarray(0, Math.max(1, length)));
          for (const [at, value] of changes) damaged[at % damaged.length] = value;
          expect(refusal(damaged)).to.match(/^(taken|invalid uploads\.error\.)/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
