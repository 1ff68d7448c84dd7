namespace Meanwhile.History;

/// <summary>How tables are written and read.</summary>
internal enum DataFormat
{
    /// <summary>JSON Lines: an object a line.</summary>
    Json,

    /// <summary>Comma-separated values (RFC 4180) with a line of names.</summary>
    Csv,
}
