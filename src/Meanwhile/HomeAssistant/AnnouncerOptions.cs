namespace Meanwhile.HomeAssistant;

/// <summary>What Home Assistant is told.</summary>
/// <param name="Prefix">What the topics of its discovery begin with.</param>
/// <param name="ClientId">Whose sensors they are: another aggregator's stay apart.</param>
internal sealed record AnnouncerOptions(string Prefix, string ClientId)
{
    /// <summary>The unit of the readings; null for none.</summary>
    public string? Unit { get; init; }

    /// <summary>What they measure, in Home Assistant's words; null for nothing in particular.</summary>
    public string? DeviceClass { get; init; }

    /// <summary>How many series have sensors.</summary>
    public int MostSeries { get; init; } = 100;
}
