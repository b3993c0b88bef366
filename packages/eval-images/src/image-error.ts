/** An image that is in use already turns out to be damaged: what was evaluated with it is of no use. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code = 'damaged';
}
