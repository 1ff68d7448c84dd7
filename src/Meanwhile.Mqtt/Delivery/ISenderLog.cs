namespace Meanwhile.Mqtt.Delivery;

/// <summary>What a sender has to remember through a crash. Each change is in a batch, which is durable once the batch is committed.</summary>
internal interface ISenderLog
{
    /// <summary>The batch up to which everything is durable.</summary>
    long Committed { get; }

    /// <summary>A message waits.</summary>
    /// <param name="number">Names it within the session; 0 at QoS 0.</param>
    /// <param name="outgoing">The message.</param>
    /// <returns>The batch that it is in; 0 where there is nothing to wait for.</returns>
    long Queue(long number, in Outgoing outgoing);

    /// <summary>PUBREC came for it.</summary>
    /// <param name="number">Which.</param>
    /// <returns>The batch that this is in; 0 where there is nothing to wait for.</returns>
    long Release(long number);

    /// <summary>It has arrived.</summary>
    /// <param name="number">Which.</param>
    /// <returns>The batch that this is in; 0 where there is nothing to wait for.</returns>
    long Finish(long number);
}
