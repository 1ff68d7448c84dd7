using System.Globalization;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>What random tests begin with: printed, and replayed by MEANWHILE_SEED.</summary>
internal static class Seeds
{
    public static Random Random()
    {
        var seed = NumberOf("MEANWHILE_SEED") ?? System.Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"MEANWHILE_SEED={seed}");
        return new Random(seed);
    }

    /// <summary>A number in the environment; null for none.</summary>
    public static int? NumberOf(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
