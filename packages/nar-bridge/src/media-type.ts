/** Media types of files by their extensions: those of documents that browsers show, and of archives. */
const utf8 = '; charset=utf-8';

const types: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  bmp: 'image/bmp',
  bz2: 'application/x-bzip2',
  css: `text/css${utf8}`,
  csv: `text/csv${utf8}`,
  flac: 'audio/flac',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: `text/html${utf8}`,
  html: `text/html${utf8}`,
  ico: 'image/vnd.microsoft.icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: `text/javascript${utf8}`,
  json: 'application/json',
  map: 'application/json',
  md: `text/markdown${utf8}`,
  mjs: `text/javascript${utf8}`,
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  ogg: 'audio/ogg',
  otf: 'font/otf',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  ttf: 'font/ttf',
  txt: `text/plain${utf8}`,
  wasm: 'application/wasm',
  webm: 'video/webm',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
  xhtml: 'application/xhtml+xml',
  xml: 'application/xml',
  xz: 'application/x-xz',
  zip: 'application/zip',
  zst: 'application/zstd',
};

/** Nothing for a name that says nothing. */
export function mediaType(fileName: string): string | undefined {
  const extension = /\.([a-z0-9]+)$/i.exec(fileName)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(types, extension) ? types[extension] : undefined;
}
