namespace Meanwhile.Mqtt.Session;

/// <summary>How full the queue of a client is.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="IsConnected">Its client is here.</param>
/// <param name="Messages">That wait for it or for its answer.</param>
/// <param name="MostMessages">That may wait.</param>
/// <param name="Bytes">The memory they take, about.</param>
/// <param name="MostBytes">That they may take.</param>
public readonly record struct QueueFill(string ClientId, bool IsConnected, int Messages, int MostMessages, long Bytes, long MostBytes)
{
    /// <summary>By messages or by bytes, whichever is more.</summary>
    public double Ratio => Math.Max((double)Messages / MostMessages, (double)Bytes / MostBytes);

    /// <summary>The highest level that it has come to.</summary>
    public QueueLevel Level => Ratio switch
    {
        >= 1 => QueueLevel.Full,
        >= 0.9 => QueueLevel.NineTenths,
        >= 0.5 => QueueLevel.Half,
        _ => QueueLevel.Low,
    };
}

/// <summary>Levels of a queue that are worth a word.</summary>
public enum QueueLevel
{
    /// <summary>There is room.</summary>
    Low,

    /// <summary>At least half full.</summary>
    Half,

    /// <summary>At least nine tenths full.</summary>
    NineTenths,

    /// <summary>Nothing more fits in.</summary>
    Full,
}
