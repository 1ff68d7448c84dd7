using Meanwhile.Tests.Support;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Meanwhile.Tests.Support;

/// <summary>One PostgreSQL for all tests that do not stop it; started by the first that asks for it.</summary>
public sealed class PostgresFixture : IAsyncDisposable
{
    private readonly Lazy<Task<PostgresServer>> _server = new(PostgresServer.StartNewAsync);

    internal Task<PostgresServer> ServerAsync() => _server.Value;

    public async ValueTask DisposeAsync()
    {
        if (_server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            await (await _server.Value).DisposeAsync();
    }
}
