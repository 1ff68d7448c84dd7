using Meanwhile.Pipeline;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>For those who start, stop and watch processes.</summary>
internal sealed class Health(PipelineStatus status)
{
    public IEnumerable<Route> Routes =>
    [
        new("/healthz", [], context => AnswerAsync(context, status.LoopTurns ? null : "the data path is stuck: expected it to turn at least once a minute"), IsOpen: true, IsForWatchers: true),
        new("/readyz", [], context => AnswerAsync(context, status.Obstacle), IsOpen: true, IsForWatchers: true),
    ];

    private static Task AnswerAsync(HttpContext context, string? obstacle)
    {
        if (obstacle is not null)
            throw ProblemException.NotNow(obstacle);
        return Json.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("status"u8, "ok"u8);
            json.WriteEndObject();
        });
    }
}
