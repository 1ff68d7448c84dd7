using System.Globalization;
using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Stores.Sqlite;

/// <summary>Reads the embedded broker's file, as the changes that lead to what is in it.</summary>
internal static class BrokerTablesReader
{
    private const string MessageColumns = "topic, payload, published_qos, expires, properties";

    /// <summary>Each session's opening, then what it has, then the leaving of those whose clients had left; and what is retained.</summary>
    public static IEnumerable<Change> Read(Database database) =>
    [
        .. Rows(database, "SELECT client, expiry, user FROM sessions", row => new SessionOpened(row.Text(0), (uint)row.Integer(1)) { User = User(row, 2) }),
        .. Rows(database, "SELECT client, filter, qos, no_local, retain_as_published, identifier FROM subscriptions", row => new SubscriptionAdded(
            row.Text(0), new SubscriptionRequest(row.Text(1), (int)row.Integer(2), row.Integer(3) != 0, row.Integer(4) != 0), row.IsNull(5) ? null : (uint)row.Integer(5))),
        .. Rows(database, "SELECT client, packet_id FROM received_ids", row => new IdReceived(row.Text(0), (ushort)row.Integer(1))),
        .. Rows(database, $"SELECT {MessageColumns}, client, number, qos, retain, released, identifiers FROM queue ORDER BY client, number", row => new MessageQueued(
            row.Text(5), row.Integer(6), ReadMessage(row, retain: false), (int)row.Integer(7), row.Integer(8) != 0, ReadIdentifiers(row.Text(10)), row.Integer(9) != 0)),
        .. Rows(database, "SELECT client, expires, sent FROM sessions WHERE expires IS NOT NULL", row => new SessionLeft(
            row.Text(0), TimeSpan.FromMilliseconds(row.Integer(1)), row.Integer(2))),
        .. Rows(database, "SELECT topic, payload, qos, retain, properties, client, number, due, user FROM wills ORDER BY number", row => new WillKept(
            row.Text(5), row.Integer(6), new Will(Name(row, 0), row.Blob(1), (int)row.Integer(2), row.Integer(3) != 0, Properties.FromBytes(row.Blob(4), ofWill: true)),
            row.IsNull(7) ? null : TimeSpan.FromMilliseconds(row.Integer(7))) { User = User(row, 8) }),
        .. Rows(database, $"SELECT {MessageColumns} FROM retained", row => new RetainedChanged(Name(row, 0), ReadMessage(row, retain: true))),
    ];

    private static IEnumerable<Change> Rows(Database database, string sql, Func<Statement, Change> read)
    {
        var rows = database.Prepare(sql);
        while (rows.Step())
            yield return read(rows);
    }

    private static Message ReadMessage(Statement row, bool retain) => new()
    {
        Topic = Name(row, 0),
        Payload = row.Blob(1),
        Qos = (int)row.Integer(2),
        Retain = retain,
        ExpiresAt = row.IsNull(3) ? null : TimeSpan.FromMilliseconds(row.Integer(3)),
        Properties = row.Blob(4) is { Length: > 0 } properties ? Properties.FromBytes(properties) : default,
    };

    private static string? User(Statement row, int column) => row.IsNull(column) ? null : row.Text(column);

    private static string Name(Statement row, int column) =>
        row.Text(column) is var topic && Topic.FaultOf(topic) is { } fault ? throw new FormatException(fault) : topic;

    private static uint[]? ReadIdentifiers(string text) =>
        text.Length == 0 ? null : [.. text.Split(',').Select(identifier => uint.Parse(identifier, CultureInfo.InvariantCulture))];
}
