# The configuration of a service, for several environments.
{ environment ? "development" }:
let
  base = {
    port = 8080;
    logLevel = "info";
    database = { host = "localhost"; pool = 5; };
  };
  differences = {
    development = { logLevel = "debug"; };
    production = { port = 443; database = base.database // { host = "db.internal"; pool = 50; }; };
  };
in
base // (differences.${environment} or (throw "there is no environment '${environment}'")) // {
  workers = map (n: { name = "worker-${toString n}"; queue = base.port + n; }) (builtins.genList (n: n + 1) 2);
}
