using Npgsql;
using NpgsqlTypes;

namespace Meanwhile.Postgres.Bench;

/// <summary>Two ways of committing the same rows, each in one transaction.</summary>
internal sealed class Writers(NpgsqlConnection connection)
{
    private readonly List<double> _numbers = [];
    private readonly List<double> _times = [];
    private readonly List<int> _series = [];
    private long _arrival;

    /// <summary>Makes the table anew, as the store has it.</summary>
    public async Task ResetAsync()
    {
        await ExecuteAsync("DROP TABLE IF EXISTS bench_messages");
        await ExecuteAsync("CREATE TABLE bench_messages (number float8 NOT NULL, epochtime float8 NOT NULL, series int NOT NULL, arrival int8 NOT NULL, identity bytea)");
        await ExecuteAsync("CREATE INDEX ON bench_messages (epochtime)");
    }

    /// <summary>Arrays as parameters of one INSERT, committed by the end of its only round trip.</summary>
    public async Task UnnestAsync(int rows)
    {
        _numbers.Clear();
        _times.Clear();
        _series.Clear();
        for (var i = 0; i < rows; i++)
        {
            _numbers.Add(i);
            _times.Add(TimeOf(_arrival + i));
            _series.Add(i % 100);
        }
        await using var command = new NpgsqlCommand(
            "INSERT INTO bench_messages (number, epochtime, series, arrival) SELECT n, t, s, $4 + o FROM unnest($1, $2, $3) WITH ORDINALITY AS given (n, t, s, o)", connection);
        command.Parameters.Add(new NpgsqlParameter<List<double>> { TypedValue = _numbers, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Double });
        command.Parameters.Add(new NpgsqlParameter<List<double>> { TypedValue = _times, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Double });
        command.Parameters.Add(new NpgsqlParameter<List<int>> { TypedValue = _series, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _arrival });
        await command.ExecuteNonQueryAsync();
        _arrival += rows;
    }

    /// <summary>Binary COPY between BEGIN and COMMIT.</summary>
    public async Task CopyAsync(int rows)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var copy = await connection.BeginBinaryImportAsync("COPY bench_messages (number, epochtime, series, arrival) FROM STDIN BINARY"))
        {
            for (var i = 0; i < rows; i++)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync((double)i, NpgsqlDbType.Double);
                await copy.WriteAsync(TimeOf(_arrival), NpgsqlDbType.Double);
                await copy.WriteAsync(i % 100, NpgsqlDbType.Integer);
                await copy.WriteAsync(++_arrival, NpgsqlDbType.Bigint);
            }
            await copy.CompleteAsync();
        }
        await transaction.CommitAsync();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    // A hundred readings in each millisecond.
    private static double TimeOf(long arrival) => (1_700_000_000_000 + (arrival / 100)) / 1000.0;
}
