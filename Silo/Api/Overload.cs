using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace Hosting.Silo.Api;

/// <summary>A bounded number of requests is worked on, a bounded number waits, and all others are told so at once.</summary>
internal static class Overload
{
    public static void Configure(RateLimiterOptions limiter)
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, bool>(http => IsCounted(http.Request)
            ? RateLimitPartition.GetConcurrencyLimiter(true, _ => new ConcurrencyLimiterOptions
            {
                PermitLimit = Limits.MostAtOnce, QueueLimit = Limits.MostWaiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            })
            : RateLimitPartition.GetNoLimiter(false));
        limiter.OnRejected = async (refused, _) =>
        {
            refused.HttpContext.Response.Headers.RetryAfter = $"{Problems.RetryAfterSeconds}";
            await Problems.Overloaded().ExecuteAsync(refused.HttpContext);
        };
    }

    /// <summary>Probes and metrics are answered under any load; streams last long, cost little and have limits of their own.</summary>
    private static bool IsCounted(HttpRequest request) =>
        request.Path.StartsWithSegments("/v1", StringComparison.Ordinal) && request.Query["follow"] != "true";
}
