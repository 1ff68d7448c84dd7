using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Meanwhile.Web;

/// <summary>What all answers together hold until their readers have taken them: it is bounded, whatever is asked for and however slowly it is read.</summary>
/// <param name="time">The clock.</param>
internal sealed class ResponseMemory(TimeProvider time)
{
    /// <summary>About here an answer ends, in bytes; a cursor tells where the rest begins.</summary>
    public const int LargestResponse = 4 << 20;

    private const long Most = 24 << 20;

    private long _held;

    /// <summary>In bytes.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>That of the server which answers.</summary>
    public static ResponseMemory Of(HttpContext context) => context.Features.GetRequiredFeature<ResponseMemory>();

    /// <summary>Takes some.</summary>
    /// <exception cref="ProblemException">There is none left.</exception>
    public void Take(int bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= Most)
            return;
        Give(bytes);
        throw ProblemException.TooMany("other answers wait for their readers: expected fewer at a time, or smaller ones (limit)");
    }

    /// <summary>Gives some back.</summary>
    public void Give(int bytes) => Interlocked.Add(ref _held, -bytes);
}
