using Meanwhile.Feeds;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>The broker of a trial or a benchmark.</summary>
/// <param name="Elsewhere">One that is running; null for one that is started.</param>
/// <param name="IsOwnMosquitto">A mosquitto is started; otherwise the embedded one.</param>
internal sealed record BrokerChoice(BrokerAddress? Elsewhere, bool IsOwnMosquitto)
{
    private const string Mosquitto = "mosquitto"; // A host of that name has a scheme, or a port.

    /// <summary>The setting.</summary>
    public static Setting<BrokerChoice> Setting { get; } = new(
        "--broker", null, "embedded", "ADDRESS", "embedded, mosquitto for one that is started for this, or the address of a running broker", Parse);

    /// <inheritdoc/>
    public override string ToString() => Elsewhere?.ToString() ?? (IsOwnMosquitto ? Mosquitto : "embedded");

    private static BrokerChoice Parse(string text)
    {
        if (text == Mosquitto)
            return new BrokerChoice(null, IsOwnMosquitto: true);
        var address = BrokerAddress.Parse(text);
        return new BrokerChoice(address.IsEmbedded ? null : address, IsOwnMosquitto: false);
    }
}
