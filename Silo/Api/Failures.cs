using System.Data.Common;
using System.Text.RegularExpressions;
using Hosting.Grains.Placement;
using Hosting.Grains.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Orleans.Runtime.Messaging;

namespace Hosting.Silo.Api;

/// <summary>What an exception that reached the edge means to a user. Expected failures never come here: they are values.</summary>
internal sealed partial class Failures(ILogger<Failures> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception exception, CancellationToken cancellationToken)
    {
        if (http.RequestAborted.IsCancellationRequested) return true;
        var problem = ToProblem(http, exception);
        if (problem.StatusCode == StatusCodes.Status503ServiceUnavailable)
            http.Response.Headers.RetryAfter = $"{Problems.RetryAfterSeconds}";
        await problem.ExecuteAsync(http);
        return true;
    }

    /// <summary>Whether waiting may help: the platform, not the request, is at fault.</summary>
    public static bool IsPassing(Exception exception) =>
        exception is TimeoutException or OrleansException or DbException or StorageUnavailableException or PlacementFencedException;

    /// <summary>Whether the call's silo is gone or going, so that the next call finds, or makes, the grain elsewhere.</summary>
    public static bool IsLostSilo(OrleansException exception) =>
        exception is SiloUnavailableException or OrleansMessageRejectionException or ConnectionFailedException && !IsOfStorage(exception);

    private ProblemHttpResult ToProblem(HttpContext http, Exception exception)
    {
        if (exception is BadHttpRequestException bad) return BadRequest(bad);
        if (IsPassing(exception))
        {
            log.LogWarning(exception,
                "{Method} {Path} was answered with 503. If this goes on, look at the health of PostgreSQL and of the silos of the region.",
                http.Request.Method, http.Request.Path);
            return Problems.Unavailable(Explain(exception));
        }
        log.LogError(exception, "{Method} {Path} failed, trace {Trace}: a fault in the software, please report it.",
            http.Request.Method, http.Request.Path, http.TraceIdentifier);
        return Problems.Fault(http.TraceIdentifier);
    }

    private static string Explain(Exception exception) => exception switch
    {
        TimeoutException => "The platform did not answer in time. What was asked may still happen; repeating the request is safe.",
        _ when IsOfStorage(exception) => "The deployment store (PostgreSQL) can not be reached now. Apps that run go on running. Repeat the request.",
        _ => "No part of the control plane that can answer this is up now. Apps that run go on running. Repeat the request.",
    };

    /// <summary>A grain that cannot read or write its document says so in Orleans' words.</summary>
    private static bool IsOfStorage(Exception? exception) => exception is not null
        && (exception is DbException or StorageUnavailableException
            || (exception is OrleansException && exception.Message.Contains("storage provider", StringComparison.Ordinal))
            || IsOfStorage(exception.InnerException));

    private static ProblemHttpResult BadRequest(BadHttpRequestException bad)
    {
        var parameter = BindingFailure().Match(bad.Message);
        return parameter.Success
            ? Problems.Invalid(
                parameter.Groups["name"].Value,
                $"can not be '{parameter.Groups["value"].Value}': it must be {Wanted(parameter.Groups["type"].Value)}.")
            : TypedResults.Problem("The request could not be read.", statusCode: bad.StatusCode);
    }

    private static string Wanted(string type) => type.TrimEnd('?') switch
    {
        "bool" => "true or false",
        "int" or "long" or "Nullable<int>" or "Nullable<long>" => "a whole number",
        _ => "something else",
    };

    // The only place where ASP.NET Core names the query parameter that it could not read.
    [GeneratedRegex("""^Failed to bind parameter "(?<type>\S+) (?<name>\w+)" from "(?<value>[^"]{0,80})""")]
    private static partial Regex BindingFailure();
}
