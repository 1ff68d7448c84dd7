using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>What a failure of the server or of the way to it means to us.</summary>
internal static class PostgresFailure
{
    private const string CheckPassword = "check the user, and the password in DB_FILE, PGPASSWORD or ~/.pgpass";

    /// <summary>Does something, and tells of a failure in our terms.</summary>
    /// <exception cref="StoreException">One line for a person, and whether to try again.</exception>
    public static T Guard<T>(Func<T> work, PostgresAddress address)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (IsOne(e))
        {
            throw Of(e, address);
        }
    }

    /// <inheritdoc cref="Guard"/>
    public static async Task GuardAsync(Func<Task> work, PostgresAddress address)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (IsOne(e))
        {
            throw Of(e, address);
        }
    }

    private static bool IsOne(Exception e) => e is NpgsqlException or SocketException or IOException or TimeoutException;

    private static StoreException Of(Exception e, PostgresAddress address)
    {
        var (what, mayHeal) = e is PostgresException refused ? Refusal(refused) : Trouble(e);
        return new StoreException($"{address}: {what.ReplaceLineEndings(" ")}", mayHeal);
    }

    private static (string What, bool MayHeal) Refusal(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            ($"the server does not let us in ({e.MessageText}): {CheckPassword}", false),
        PostgresErrorCodes.InvalidCatalogName => ($"{e.MessageText}: make it with CREATE DATABASE, or name another one", false),
        PostgresErrorCodes.InsufficientPrivilege => ($"{e.MessageText}: expected a user that may make tables in the schema and own them", false),
        PostgresErrorCodes.DuplicateTable => ($"{e.MessageText}, and it is not ours: expected a database or a schema without it", false),
        PostgresErrorCodes.DiskFull => ("the server's disk is full", true),
        PostgresErrorCodes.ReadOnlySqlTransaction => ("the server takes no writes now (a standby, or set to read-only)", true),
        PostgresErrorCodes.LockNotAvailable => ("another session has locked its tables", true),
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow => ($"the server is stopping or starting ({e.MessageText})", true),
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => ($"the database is damaged ({e.MessageText}): restore a copy", false),
        _ => ($"{e.MessageText} (SQLSTATE {e.SqlState})", e.IsTransient || e.SqlState == PostgresErrorCodes.QueryCanceled),
    };

    private static (string What, bool MayHeal) Trouble(Exception e) => ((e as NpgsqlException)?.InnerException ?? e) switch
    {
        AuthenticationException inner => ($"no TLS as it was asked for ({inner.Message}): check sslmode and sslrootcert", false),
        SocketException inner => ($"the server is not there ({inner.Message})", true),
        TimeoutException => ("the server does not answer in time", true),
        IOException => ("the connection to the server is lost", true),
        _ when e.Message.StartsWith("No password", StringComparison.Ordinal) => ($"the server asks for a password: {CheckPassword}", false),
        _ => (e.Message, e is NpgsqlException { IsTransient: true }),
    };
}
