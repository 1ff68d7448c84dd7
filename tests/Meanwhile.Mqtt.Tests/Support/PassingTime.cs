using Meanwhile.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Time that passes faster than it does.</summary>
internal static class PassingTime
{
    /// <summary>Lets second after second pass until a condition holds; fails with a description when it never does.</summary>
    public static Task PassUntilAsync(this FakeTimeProvider time, Func<bool> condition, Func<string> describe) => Until.TrueAsync(
        () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return condition();
        },
        describe);
}
