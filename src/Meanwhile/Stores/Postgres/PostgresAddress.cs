using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>Where a database is, and how it is reached: a URL as the server's own tools take it, <c>postgres://user:password@host:port/database?sslmode=…</c>.</summary>
internal sealed class PostgresAddress
{
    private const string Expectation =
        "postgres://user@host:port/database, after a ? perhaps sslmode, sslrootcert, sslcert, sslkey, passfile, connect_timeout, options, user, or host for a socket's folder";

    private readonly string _shown;

    private PostgresAddress(string shown, NpgsqlConnectionStringBuilder connection) => (_shown, Connection) = (shown, connection);

    /// <summary>What the library has to know.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; }

    /// <summary>Whether a setting means a database rather than a file.</summary>
    public static bool IsOne(string text) => text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal);

    /// <summary>How the library connects to a setting's database; null for a file, or for no setting.</summary>
    public static string? ConnectionOf(string? text) => text is not null && IsOne(text) ? Parse(text).Connection.ConnectionString : null;

    /// <summary>The text without the password that may be in it.</summary>
    public static string Mask(string text)
    {
        if (!IsOne(text))
            return text;
        if (text.Contains("password=", StringComparison.OrdinalIgnoreCase)) // Which is none of the parameters, but may be tried.
            return text[..text.IndexOf(':', StringComparison.Ordinal)] + "://…";
        // Up to the last @: it may hold any character, also where that should have been escaped.
        var (start, end) = (text.IndexOf(':', text.IndexOf("://", StringComparison.Ordinal) + 3), text.LastIndexOf('@'));
        return start >= 0 && start < end ? $"{text[..start]}:…{text[end..]}" : text;
    }

    /// <summary>Reads a URL.</summary>
    /// <exception cref="FormatException">It is none; says what was expected.</exception>
    public static PostgresAddress Parse(string text)
    {
        if (!IsOne(text) || !Uri.TryCreate(text, UriKind.Absolute, out var uri))
            throw new FormatException(Expectation);
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host.Length > 0 ? uri.DnsSafeHost : "localhost",
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = NullIfEmpty(uri.AbsolutePath.Trim('/')),
            // One connection, which holds the lock: closing it has to close it.
            Pooling = false,
            Enlist = false,
            MaxAutoPrepare = 20,
            AutoPrepareMinUsages = 2,
            TcpKeepAlive = true,
            TcpKeepAliveTime = 10,
            TcpKeepAliveInterval = 5,
        };
        var user = uri.UserInfo.Split(':', 2);
        connection.Username = NullIfEmpty(user[0]);
        connection.Password = user.Length > 1 ? NullIfEmpty(user[1]) : null;
        foreach (var parameter in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            Set(connection, parameter.Split('=', 2));
        return new PostgresAddress(Mask(text), connection);
    }

    /// <summary>Without its password.</summary>
    public override string ToString() => _shown;

    private static void Set(NpgsqlConnectionStringBuilder connection, string[] parameter)
    {
        var value = parameter.Length > 1 ? Uri.UnescapeDataString(parameter[1]) : "";
        switch (parameter[0])
        {
            case "sslmode" when Enum.TryParse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var mode) && !char.IsDigit(value[0]):
                connection.SslMode = mode;
                break;
            case "sslrootcert":
                connection.RootCertificate = value;
                break;
            case "sslcert":
                connection.SslCertificate = value;
                break;
            case "sslkey":
                connection.SslKey = value;
                break;
            case "passfile":
                connection.Passfile = value;
                break;
            case "connect_timeout" when int.TryParse(value, out var seconds) && seconds is >= 0 and <= 1024:
                connection.Timeout = seconds;
                break;
            case "options":
                connection.Options = value;
                break;
            case "user":
                connection.Username = value;
                break;
            case "host":
                connection.Host = value;
                break;
            default:
                throw new FormatException(Expectation);
        }
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : Uri.UnescapeDataString(text);
}
