using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Meanwhile.Web;

/// <summary>A request cannot be answered; the answer is a problem (RFC 9457).</summary>
/// <param name="status">Of HTTP.</param>
/// <param name="detail">One line for a person.</param>
internal sealed class ProblemException(int status, string detail) : Exception(detail)
{
    /// <summary>Of HTTP.</summary>
    public int Status => status;

    /// <summary>A parameter cannot be understood.</summary>
    public static ProblemException BadParameter(string name, string expected) => new(StatusCodes.Status400BadRequest, $"{name} cannot be understood: expected {expected}");

    /// <summary>It may be possible in a moment.</summary>
    public static ProblemException NotNow(string detail) => new(StatusCodes.Status503ServiceUnavailable, detail);

    /// <summary>It is too much at a time.</summary>
    public static ProblemException TooMany(string detail) => new(StatusCodes.Status429TooManyRequests, detail);

    /// <summary>The windows are not there yet.</summary>
    public static ProblemException Rebuilding() => NotNow("the windows are being rebuilt from the store");

    /// <summary>Answers with it.</summary>
    public Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = status;
        if (status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status429TooManyRequests)
            context.Response.Headers.RetryAfter = "1";
        return Json.WriteAsync(context, "application/problem+json", json =>
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "about:blank"u8);
            json.WriteString("title"u8, ReasonPhrases.GetReasonPhrase(status));
            json.WriteNumber("status"u8, status);
            json.WriteString("detail"u8, Message);
            json.WriteEndObject();
        });
    }
}
