namespace Meanwhile.Mqtt.Session;

/// <summary>Where a host keeps what its broker has to remember through a crash. One call at a time.</summary>
public interface IBrokerStore
{
    /// <summary>
    /// What was committed, as the changes that lead there from nothing: first the opening of each session, then what it has, its messages in the order of their numbers, and at
    /// last the leaving of those whose clients had left.
    /// </summary>
    IEnumerable<Change> Read();

    /// <summary>Makes changes durable, in their order: all of them when it returns. It waits as long as that is not possible for the moment.</summary>
    /// <param name="changes">What has changed; not to be kept.</param>
    /// <param name="stop">No more waiting: what cannot be committed now has failed.</param>
    /// <exception cref="Exception">It is not possible: the broker acknowledges nothing any more, and says so (<see cref="Broker.MqttBroker.Completion"/>).</exception>
    ValueTask CommitAsync(IReadOnlyList<Change> changes, CancellationToken stop);
}
