using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Session;

/// <summary>A client's will from CONNECT until it is published, or void; kept, so that it is published also when the process ends before [MQTT-3.1.2-7], [MQTT-3.1.2-8].</summary>
/// <param name="journal">Where.</param>
/// <param name="kept">What is kept.</param>
/// <param name="permissions">What its client may do.</param>
/// <param name="forgotten">Told when it is forgotten.</param>
internal sealed class PendingWill(Journal journal, WillKept kept, Permissions permissions, Action<Will> forgotten)
{
    /// <summary>What it says.</summary>
    public Will Will { get; } = kept.Will;

    /// <summary>How long it waits after the connection's end.</summary>
    public TimeSpan Delay { get; } = TimeSpan.FromSeconds(kept.Will.Properties.Number(PropertyId.WillDelayInterval) ?? 0);

    /// <summary>Its client may still publish to its topic.</summary>
    public bool IsAllowed => permissions.LetPublish(Will.Topic, kept.ClientId);

    /// <summary>It is to be published at a time; null for as soon as its delay after the connection's end is over.</summary>
    public void Keep(TimeSpan? dueAt)
    {
        if (journal.IsKept)
            journal.Append(kept with { DueAt = dueAt }, null);
    }

    /// <summary>It was published, or will never be.</summary>
    public void Forget()
    {
        if (journal.IsKept)
            journal.Append(new WillForgotten(kept.Number), null);
        forgotten(Will);
    }
}
