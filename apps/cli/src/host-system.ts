/** The machine as a system of Nix, such as `x86_64-linux`. */
export function hostSystem(): string {
  const architectures: Partial<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };
  return `${architectures[process.arch] ?? process.arch}-${process.platform}`;
}
