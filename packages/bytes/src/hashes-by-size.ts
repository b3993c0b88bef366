/**
 * Hash functions that cost little for small inputs and are fast for large ones: two implementations, and the length from
 * which the second one is taken. What is smaller is gathered and hashed in one piece.
 */
import type { Digest, HashAlgorithm } from './digest.ts';
import type { Hasher, HashFunctions } from './hasher.ts';

export type HashesBySizeOptions = {
  /** Hashes an input that is all there; it does not keep the bytes. */
  readonly small: HashFunctions['hash'];
  /** Made when the first large input is met. */
  readonly large: () => HashFunctions;
  /** From this length on an input is large. */
  readonly largeBytes: number;
};

export function hashesBySize(options: HashesBySizeOptions): HashFunctions {
  return {
    create: (algorithm) => new HasherBySize(algorithm, options),
    hash: (algorithm, bytes) =>
      bytes.length < options.largeBytes
        ? options.small(algorithm, bytes)
        : options.large().hash(algorithm, bytes),
  };
}

/** Gathers its input until that is large; then everything goes on to the hasher for that. */
class HasherBySize implements Hasher {
  readonly #algorithm: HashAlgorithm;
  readonly #options: HashesBySizeOptions;
  #gathered = new Uint8Array();
  #length = 0;
  #large: Hasher | undefined;

  constructor(algorithm: HashAlgorithm, options: HashesBySizeOptions) {
    this.#algorithm = algorithm;
    this.#options = options;
  }

  update(bytes: Uint8Array): void {
    if (this.#large === undefined && this.#length + bytes.length < this.#options.largeBytes) {
      this.#gather(bytes);
    } else {
      this.#large ??= this.#startLarge();
      this.#large.update(bytes);
    }
  }

  digest(): Digest {
    if (this.#large !== undefined) return this.#large.digest();
    return this.#options.small(this.#algorithm, this.#gathered.subarray(0, this.#length));
  }

  #gather(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#gathered.length) {
      const { largeBytes } = this.#options;
      const larger = new Uint8Array(this.#length === 0 ? length : Math.min(2 * length, largeBytes));
      larger.set(this.#gathered.subarray(0, this.#length));
      this.#gathered = larger;
    }
    this.#gathered.set(bytes, this.#length);
    this.#length = length;
  }

  #startLarge(): Hasher {
    const large = this.#options.large().create(this.#algorithm);
    large.update(this.#gathered.subarray(0, this.#length));
    this.#gathered = new Uint8Array();
    return large;
  }
}
