/** What the bundler makes of `?url`: the address of a file in the site. */
declare module '*?url' {
  const url: string;
  export default url;
}
