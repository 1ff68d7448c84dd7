namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Programs of ours for clients of others, in their languages.</summary>
internal static class PeerScript
{
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Peers", name);
}
