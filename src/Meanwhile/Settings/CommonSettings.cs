using System.CommandLine;
using System.Globalization;
using System.Text;
using Meanwhile.Clients;
using Meanwhile.Feeds;
using Meanwhile.Stores;
using Meanwhile.Stores.Postgres;

namespace Meanwhile.Settings;

/// <summary>Settings that more than one verb has.</summary>
internal static class CommonSettings
{
    public static readonly Setting<BrokerAddress> Broker = new(
        "--broker", "BROKER", "localhost", "ADDRESS", "host, host:port, mqtt://, mqtts://, ws://, wss://, or embedded for the built-in broker", BrokerAddress.Parse);

    public static readonly Setting<string> Topic = new("--topic", "TOPIC", "DATA", "FILTER", "topic or filter of the readings", TopicName.ParseFilter);

    public static readonly Setting<string> UnnamedTopic = new("--topic", "TOPIC", "DATA", "TOPIC", "topic of rows that name none, as the seed's program writes them", TopicName.ParseFilter);

    public static readonly Setting<string> PublishTopic = new("--topic", "TOPIC", "DATA", "TOPIC", "topic of the readings", TopicName.ParseTopic);

    public static readonly Setting<string> StatsTopic = new(
        "--stats-topic", "STATS_TOPIC", "STATS", "TOPIC", "topic of the results", TopicName.ParseTopic);

    public static readonly Setting<string> DbFile = new("--db", "DB_FILE", "tmp/test.db", "FILE", "SQLite file of the readings, or postgres://user@host/database", ParseDbFile) { Mask = Store.Describe };

    public static readonly Setting<string> UserName = new("--username", "MQTT_USERNAME", null, "NAME", "user name at the broker", text => text);

    public static readonly Setting<byte[]> PasswordFile = new(
        "--password-file", "MQTT_PASSWORD_FILE", null, "FILE", "file with the password at the broker", ReadPassword);

    public static readonly Setting<string> ReadyFile = new(
        "--ready-file", null, null, "FILE", "file that exists while connected and subscribed, for health checks", text => text);

    public static readonly Setting<Pace> Interval = new(
        "--interval", null, null, "SECONDS", "seconds between readings, or a range such as 0.5-2 [default 1-30]", Pace.ParseInterval);

    public static readonly Setting<Pace> Rate = new("--rate", null, null, "NUMBER", "readings a second, evenly", Pace.ParseRate);

    public static readonly Setting<int?> Seed = new(
        "--seed", null, null, "NUMBER", "makes numbers and intervals repeatable", text => (int)ParseWhole(text, int.MinValue, int.MaxValue));

    /// <summary>The client id, whose default depends on the verb.</summary>
    public static Setting<string> ClientId(string defaultId) =>
        new("--client-id", "MQTT_CLIENT_ID", defaultId, "ID", "client id at the broker", text => text);

    /// <summary>Reads a whole number.</summary>
    /// <exception cref="FormatException">It is none, or out of bounds.</exception>
    public static long ParseWhole(string text, long least, long most) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"a whole number from {least} to {most}");

    /// <summary>The publisher's pace: at most one of the two options.</summary>
    public static Pace ReadPace(ParseResult commandLine, SettingSources sources)
    {
        var (interval, rate) = (Interval.Read(commandLine, sources), Rate.Read(commandLine, sources));
        if (interval is not null && rate is not null)
            throw new UserException("--interval and --rate say the same thing in two ways: expected one of them", ExitCode.Usage);
        return interval ?? rate ?? Pace.Default;
    }

    /// <summary>Reads the path of a file that may be made.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string ParseFile(string text) =>
        text.Length > 0 && !PostgresAddress.IsOne(text) && !Directory.Exists(text) && !text.EndsWith('/') ? text : throw new FormatException("the path of a file, not of a folder");

    /// <summary>The broker, for a verb that is a client of one.</summary>
    /// <param name="defaultId">Who we are there where that is not said, and has no default of its own.</param>
    public static BrokerSettings ReadBroker(ParseResult commandLine, SettingSources sources, Setting<string> clientId, string defaultId = "")
    {
        var address = Broker.Read(commandLine, sources)!;
        if (address.IsEmbedded)
            throw new UserException("BROKER: 'embedded' is the built-in broker of aggregate: expected the address of a running broker", ExitCode.Usage);
        return new BrokerSettings(address, clientId.Read(commandLine, sources) ?? defaultId, UserName.Read(commandLine, sources), PasswordFile.Read(commandLine, sources));
    }

    /// <summary>Reads the name of a store.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string ParseDbFile(string text)
    {
        if (!PostgresAddress.IsOne(text))
            return ParseFile(text);
        _ = PostgresAddress.Parse(text);
        return text;
    }

    /// <summary>Reads a small file that a setting names.</summary>
    /// <exception cref="FormatException">It cannot be read, or is not UTF-8.</exception>
    public static string ReadText(string path)
    {
        try
        {
            return Utf8Text.Read(path);
        }
        catch (FormatException e)
        {
            throw new FormatException($"a file in UTF-8 ({e.Message})", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"a file that can be read ({e.Message})", e);
        }
    }

    private static byte[] ReadPassword(string path) => Encoding.UTF8.GetBytes(ReadText(path).TrimEnd('\r', '\n'));
}
