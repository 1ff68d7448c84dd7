namespace Meanwhile.Mqtt.Broker;

/// <summary>What came of a message.</summary>
/// <param name="Batch">The batch of the journal that holds what has to outlive the process; 0 for none.</param>
/// <param name="IsKept">Somebody has it now.</param>
internal readonly record struct Routed(long Batch, bool IsKept)
{
    /// <summary>What came of all its copies.</summary>
    public static Routed operator +(Routed one, Routed other) => new(Math.Max(one.Batch, other.Batch), one.IsKept || other.IsKept);

    /// <summary>Of a copy that was queued in a batch, or, where there is none, was not.</summary>
    public static Routed To(long? batch) => new(batch ?? 0, batch is not null);
}
