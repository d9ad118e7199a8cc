namespace Hosting.Cli.Api;

/// <summary>The API refused a request.</summary>
internal sealed class ApiException(Problem problem) : Exception(problem.Detail ?? problem.Title)
{
    /// <summary>Why, in the API's words.</summary>
    public Problem Problem { get; } = problem;

    /// <summary>Whether the same request may succeed a little later.</summary>
    public bool IsPassing => Problem.Status is 502 or 503 or 504;
}
