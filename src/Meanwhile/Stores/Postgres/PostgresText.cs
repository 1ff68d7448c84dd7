namespace Meanwhile.Stores.Postgres;

/// <summary>Texts of strangers.</summary>
internal static class PostgresText
{
    /// <summary>The server has no U+0000 in its texts, and MQTT none in its topics [MQTT-1.5.4-2]; one that came all the same must not stop the flow.</summary>
    public static string Of(string text) => text.Replace('\0', '\uFFFD');
}
