using Meanwhile.Postgres.Bench;
using Meanwhile.Stores.Postgres;
using Npgsql;

// Medians of alternating runs on the database that DB_FILE names, in schemas of their own.
var address = PostgresAddress.Parse(Environment.GetEnvironmentVariable("DB_FILE") ?? "postgres://postgres@localhost/bench");
await using var connection = new NpgsqlConnection(address.Connection.ConnectionString);
await connection.OpenAsync();

var writers = new Writers(connection);
await writers.ResetAsync();
Console.WriteLine("rows a commit | unnest: rows/s | ours, us/row | COPY: rows/s | ours, us/row");
foreach (var batch in new[] { 1, 10, 100, 1_000, 4_096, 10_000 })
{
    var (unnest, copy) = (new Runs(), new Runs());
    for (var round = 0; round < 7; round++)
    {
        await unnest.AddAsync(() => writers.UnnestAsync(batch), batch);
        await copy.AddAsync(() => writers.CopyAsync(batch), batch);
    }
    Console.WriteLine($"{batch,13:N0} | {unnest.Rate,14:N0} | {unnest.Cpu,12:N2} | {copy.Rate,12:N0} | {copy.Cpu,12:N2}");
}

List<(Table Table, Runs Runs)> tables = [];
foreach (var rows in new[] { 1_000, 100_000, 1_000_000, 3_000_000 })
    tables.Add((await Table.FillAsync(connection, address, rows), new Runs()));
for (var round = 0; round < 7; round++)
{
    foreach (var (table, runs) in tables)
        await runs.AddAsync(table.CommitAsync, Table.Batch);
}
Console.WriteLine("rows kept | through the store, 1,000 a commit, retention running: rows/s | ours, us/row | read back: rows/s");
foreach (var (table, runs) in tables)
    Console.WriteLine($"{table.Rows,9:N0} | {runs.Rate,62:N0} | {runs.Cpu,12:N2} | {table.ReadBack(),17:N0}");
