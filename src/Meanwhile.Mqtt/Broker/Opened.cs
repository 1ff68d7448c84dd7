using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>A session that was opened.</summary>
/// <param name="Session">The session.</param>
/// <param name="IsPresent">It is an earlier one.</param>
/// <param name="Earlier">The earlier one, gone on with or not; null for none.</param>
internal readonly record struct Opened(ClientSession Session, bool IsPresent, ClientSession? Earlier)
{
    /// <summary>The other user who owns it, so that it was not opened; null if it was.</summary>
    public string? Owner { get; private init; }

    /// <summary>Another user owns it.</summary>
    public static Opened Not(string owner) => new() { Owner = owner };
}
