namespace Meanwhile.Verification;

/// <summary>How often an acknowledged message is in the store.</summary>
internal enum Expectation
{
    AtMostOnce,

    AtLeastOnce,

    ExactlyOnce,
}

/// <summary>What is guaranteed, in one place.</summary>
internal static class Expectations
{
    /// <summary>What the publishers' quality of service promises through a broker.</summary>
    /// <param name="isEmbedded">The built-in broker, whose sessions are in memory: what a publisher had no PUBCOMP for it may send anew after a crash (docs/guarantees.md).</param>
    public static Expectation Of(int qos, bool isEmbedded) => qos switch
    {
        0 => Expectation.AtMostOnce,
        2 when !isEmbedded => Expectation.ExactlyOnce,
        _ => Expectation.AtLeastOnce,
    };

    public static string Describe(this Expectation expectation) => expectation switch
    {
        Expectation.AtMostOnce => "each message at most once",
        Expectation.AtLeastOnce => "each acknowledged message at least once, more only where it was sent again",
        _ => "each message exactly once",
    };
}
