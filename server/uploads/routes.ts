// Serves pictures so that none can ever be taken for a page, a script or an activity: one of three fixed types, no
// sniffing, no rights, whatever the request would like to have.
import { z } from 'zod';
import { findCollective } from '../collectives/queries.js';
import { isPublic, maySeeCollective, notFound } from '../collectives/rules.js';
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { findUpload } from './queries.js';
import { type ImageType, uploadId } from './schema.js';

const endings: Record<ImageType, string> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' };

export function uploadRoutes(house: House): Routes {
  const params = z.object({ id: uploadId });
  return new Routes(house).get('/media/:id', { access: 'public', params }, async ({ ctx, params: { id }, res }) => {
    const upload = await findUpload(ctx.store, id);
    const collective = upload && (await findCollective(ctx.store, upload.collectiveId));
    // A picture that was replaced is not shown any more, even before it is swept away.
    if (!upload || collective?.logoId !== id || !maySeeCollective(ctx.actor, collective)) throw notFound();
    const ending = endings[upload.type];
    if (!ending) throw notFound();
    res.removeHeader('Vary');
    res.set({
      'Content-Type': upload.type,
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'Content-Disposition': `inline; filename="logo.${ending}"`,
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Cache-Control': isPublic(collective) ? 'public, max-age=31536000, immutable' : 'private, no-store',
      ETag: `"${upload.sha256.slice(0, 32)}"`,
    });
    res.end(Buffer.from(upload.bytes));
  });
}
